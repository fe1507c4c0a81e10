/**
 * The mark in a picture of a held object: a striped border and words in the pixels themselves, so that a copy of the picture, wherever it ends up, says what it
 * is. Around the picture, not over it: nothing of the frame is hidden from whoever must decide.
 */
import type { Picture } from './picture.ts';

const words = 'HELD - NOT FOR DIAGNOSIS';

/** The letters of the words, five columns of seven rows each, a row a number. */
// prettier-ignore
const letters: Readonly<Record<string, readonly number[]>> = {
  H: [17, 17, 17, 31, 17, 17, 17], E: [31, 16, 16, 30, 16, 16, 31], L: [16, 16, 16, 16, 16, 16, 31], D: [30, 17, 17, 17, 17, 17, 30], N: [17, 25, 21, 19, 17, 17, 17], O: [14, 17, 17, 17, 17, 17, 14],
  T: [31, 4, 4, 4, 4, 4, 4], F: [31, 16, 16, 30, 16, 16, 16], R: [30, 17, 17, 30, 20, 18, 17], I: [14, 4, 4, 4, 4, 4, 14], A: [14, 17, 17, 31, 17, 17, 17], G: [14, 17, 16, 23, 17, 17, 14], S: [15, 16, 16, 14, 1, 1, 30],
  '-': [0, 0, 0, 31, 0, 0, 0], ' ': [0, 0, 0, 0, 0, 0, 0],
};
const letterWidth = 6;
const letterHeight = 7;
const textWidth = words.length * letterWidth - 1;
/** The words are read at arm's length on a picture that fills a screen. */
const scaleWidth = 300;
const scaleMax = 6;

/** The picture with its border; wider than the frame where that is narrower than the words. */
export function marked(picture: Picture): Picture {
  const { samples } = picture;
  const scale = Math.min(scaleMax, Math.max(1, Math.floor(picture.width / scaleWidth)));
  const band = (letterHeight + 6) * scale;
  const side = 4 * scale;
  const width = Math.max(picture.width, textWidth * scale) + 2 * side;
  const height = picture.height + 2 * band;
  const pixels = new Uint8Array(width * height * samples);
  const put = (x: number, y: number, light: boolean): void => {
    // Amber and black: in grey pictures light and black.
    const at = (y * width + x) * samples;
    if (samples === 3) pixels.set(light ? [255, 176, 0] : [0, 0, 0], at);
    else pixels[at] = light ? 235 : 0;
  };
  for (let y = 0; y < height; y += 1) {
    const inBand = y < band || y >= height - band;
    for (let x = 0; x < width; x += 1) {
      if (inBand) put(x, y, true);
      else if (x < side || x >= width - side) put(x, y, Math.floor((x + y) / (4 * scale)) % 2 === 0);
    }
  }
  const left = Math.floor((width - picture.width) / 2);
  for (let y = 0; y < picture.height; y += 1) {
    pixels.set(picture.pixels.subarray(y * picture.width * samples, (y + 1) * picture.width * samples), ((y + band) * width + left) * samples);
  }
  const textLeft = Math.floor((width - textWidth * scale) / 2);
  for (const top of [3 * scale, height - band + 3 * scale]) {
    for (let index = 0; index < words.length; index += 1) {
      for (const [row, bits] of letters[words[index]!]!.entries()) {
        for (let y = 0; y < scale; y += 1) for (let x = 0; x < 5 * scale; x += 1) if ((bits >> (4 - Math.floor(x / scale))) & 1) put(textLeft + index * letterWidth * scale + x, top + row * scale + y, false);
      }
    }
  }
  return { width, height, samples, pixels };
}
