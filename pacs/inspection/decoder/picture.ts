/** A picture of 8 bit samples, made smaller and written as PNG or JPEG. */
import { crc32, deflateSync } from 'node:zlib';
import jpeg from 'jpeg-js';

export interface Picture {
  readonly width: number;
  readonly height: number;
  /** 1: grey; 3: red, green, blue. */
  readonly samples: 1 | 3;
  readonly pixels: Uint8Array;
}

/** The size that fits, in proportion, never larger than the picture; 0 sets no limit. */
export function fittedSize(width: number, height: number, widthMax: number, heightMax: number): { readonly width: number; readonly height: number } {
  const scale = Math.min(1, widthMax > 0 ? widthMax / width : 1, heightMax > 0 ? heightMax / height : 1);
  return { width: Math.max(1, Math.round(width * scale)), height: Math.max(1, Math.round(height * scale)) };
}

/** Each pixel of the smaller picture is the mean of those that it stands for: a thin line grows pale, and does not come and go. */
export function shrink(picture: Picture, width: number, height: number): Picture {
  if (width === picture.width && height === picture.height) return picture;
  const { samples } = picture;
  const pixels = new Uint8Array(width * height * samples);
  for (let y = 0; y < height; y += 1) {
    const top = Math.floor((y * picture.height) / height);
    const bottom = Math.max(top + 1, Math.floor(((y + 1) * picture.height) / height));
    for (let x = 0; x < width; x += 1) {
      const left = Math.floor((x * picture.width) / width);
      const right = Math.max(left + 1, Math.floor(((x + 1) * picture.width) / width));
      for (let sample = 0; sample < samples; sample += 1) {
        let sum = 0;
        for (let row = top; row < bottom; row += 1) for (let column = left; column < right; column += 1) sum += picture.pixels[(row * picture.width + column) * samples + sample]!;
        pixels[(y * width + x) * samples + sample] = Math.round(sum / ((bottom - top) * (right - left)));
      }
    }
  }
  return { width, height, samples, pixels };
}

/** PNG (ISO/IEC 15948): header, one deflate stream of rows, end. */
export function encodePNG({ width, height, samples, pixels }: Picture): Buffer {
  const stride = width * samples;
  const rows = Buffer.alloc((stride + 1) * height);
  for (let row = 0; row < height; row += 1) {
    // Filter 1, the difference to the pixel before: images of bodies are smooth.
    const at = row * (stride + 1);
    rows[at] = 1;
    for (let index = 0; index < stride; index += 1) rows[at + 1 + index] = (pixels[row * stride + index]! - (index < samples ? 0 : pixels[row * stride + index - samples]!)) & 0xff;
  }
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([8, samples === 1 ? 0 : 2, 0, 0, 0], 8);
  return Buffer.concat([Buffer.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a), chunk('IHDR', header), chunk('IDAT', deflateSync(rows, { level: 3 })), chunk('IEND', Buffer.alloc(0))]);
}

function chunk(type: string, data: Buffer): Buffer {
  const named = Buffer.concat([Buffer.from(type, 'latin1'), data]);
  const framed = Buffer.alloc(named.length + 8);
  framed.writeUInt32BE(data.length, 0);
  framed.set(named, 4);
  framed.writeUInt32BE(crc32(named), named.length + 4);
  return framed;
}

/** Baseline JPEG, quality 1 to 100. In JavaScript: the encoder that comes with the WebAssembly decoder writes beyond its memory where a picture does not get smaller. */
export function encodeJPEG({ width, height, samples, pixels }: Picture, quality: number): Buffer {
  const data = new Uint8Array(width * height * 4);
  for (let pixel = 0; pixel < width * height; pixel += 1) {
    for (let channel = 0; channel < 3; channel += 1) data[pixel * 4 + channel] = pixels[samples === 1 ? pixel : pixel * 3 + channel]!;
    data[pixel * 4 + 3] = 255;
  }
  return jpeg.encode({ width, height, data }, quality).data;
}
