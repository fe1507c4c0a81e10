import type { Device } from './device.ts';
import type { Volume } from './volume.ts';

export function openFAT(device: Device): Volume | null {
  return device.length < 0 ? null : null;
}
