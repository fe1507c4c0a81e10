import type { Device } from './device.ts';
import type { Volume } from './volume.ts';

export function openDisc(device: Device): Volume | null {
  return device.length < 0 ? null : null;
}
