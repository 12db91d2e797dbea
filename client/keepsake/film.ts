/** The film of an organism that grows from its seed, as pictures, a GIF or a video. */

import { applyPalette, GIFEncoder, type Palette, quantize } from 'gifenc';
import { FONTS } from '../style/fragments.ts';
import {
  canvasOf,
  type DrawBody,
  drawGround,
  drawSpecimen,
  latin1,
  wait,
  yieldUnless,
} from './picture.ts';

const COLORS = 256;
/** 4×4 ordered dithering; without it, the dark background shows colour bands. */
const BAYER = [0, 8, 2, 10, 12, 4, 14, 6, 3, 11, 1, 9, 15, 7, 13, 5];
/** Amplitude of the dithering; the range of a colour is 255. */
const DITHER = 7;

/**
 * Chooses the 256 colours that represent the pictures best.
 *
 * @param pictures RGBA, opaque
 */
export async function paletteOf(
  pictures: readonly Uint8ClampedArray<ArrayBuffer>[],
): Promise<Palette> {
  const all = await new Blob([...pictures]).arrayBuffer();
  return quantize(new Uint8ClampedArray(all), COLORS);
}

/** Encodes an animated GIF that loops forever. */
export class GifWriter {
  private readonly encoder = GIFEncoder();
  private isFirst = true;

  /** @param palette shared by all frames */
  constructor(
    private readonly width: number,
    private readonly height: number,
    private readonly palette: Palette,
  ) {}

  /**
   * Adds a frame.
   *
   * @param picture RGBA, opaque, [height, width, 4]
   * @param delay in ms; GIF rounds it to steps of 10 ms
   */
  add(picture: Uint8ClampedArray, delay: number): void {
    const { encoder, width, height, palette } = this;
    const pixels = applyPalette(dithered(picture, width), palette);
    encoder.writeFrame(pixels, width, height, { delay, ...(this.isFirst && { palette }) });
    this.isFirst = false;
  }

  /**
   * Ends the GIF and returns the file; no frames can be added afterwards.
   *
   * @param comment Latin-1
   */
  finish(comment: string): Uint8Array<ArrayBuffer> {
    const { stream } = this.encoder;
    stream.writeBytes([0x21, 0xfe]);
    for (let at = 0; at < comment.length; at += 255) {
      const part = latin1(comment.slice(at, at + 255));
      stream.writeBytes([part.length, ...part]);
    }
    stream.writeByte(0);
    this.encoder.finish();
    return this.encoder.bytes();
  }
}

function dithered(picture: Uint8ClampedArray, width: number): Uint8ClampedArray {
  const result = new Uint8ClampedArray(picture.length);
  for (let i = 0; i < picture.length; i += 4) {
    const pixel = i / 4;
    const cell = ((Math.floor(pixel / width) & 3) << 2) | ((pixel % width) & 3);
    const shift = (BAYER[cell] / 15 - 0.5) * DITHER;
    for (let c = 0; c < 3; c++) result[i + c] = picture[i + c] + shift;
    result[i + 3] = 255;
  }
  return result;
}

/** Width and height of the film, in pixels. */
export const SIDE = 360;
/** Duration of each picture, and minimum duration of the whole film, in ms. */
export const FRAME_DELAY = 120;
const LEAST = 6_500;
/** Minimum time that the grown organism stays in view, in ms. */
const LAST_FRAME_DELAY = 2_200;
/** Minimum number of opaque cells in the film's first frame. */
const VISIBLE = 8;

/**
 * The pictures of a film, RGBA [360, 360, 4]. Each is shown for `FRAME_DELAY`, the last one longer.
 */
export interface DrawnFilm {
  readonly pictures: readonly Uint8ClampedArray<ArrayBuffer>[];
  /** How long the last picture is shown, in ms. */
  readonly rest: number;
}

/**
 * Draws the film. It begins with the first frame in which something is visible. Between two frames,
 * it shows their mean.
 *
 * @param frames cells [side, side] of each step, the grown organism last
 * @param name written below the organism
 * @param drawBody rejects with the signal's reason when the signal aborts
 * @throws the signal's reason
 */
export async function drawFilm(
  frames: readonly HTMLCanvasElement[],
  name: string,
  drawBody: DrawBody,
  signal: AbortSignal,
): Promise<DrawnFilm> {
  const { to } = canvasOf(SIDE, SIDE);
  to.textAlign = 'center';
  to.font = `500 22px ${FONTS}`;
  const first = frames.findIndex((cells) => {
    const { data } = cells.getContext('2d')!.getImageData(0, 0, cells.width, cells.height);
    return data.filter((value, i) => i % 4 > 2 && value > 127).length >= VISIBLE;
  });
  const shown = frames.slice(Math.max(0, first));
  const pictures: Uint8ClampedArray<ArrayBuffer>[] = [];
  for (const [i, cells] of shown.entries()) {
    const next = shown[i + 1];
    for (const each of next ? [cells, between(cells, next)] : [cells]) {
      await yieldUnless(signal);
      const body = await drawBody(each, 280);
      drawGround(to, SIDE / 2, SIDE / 2);
      drawSpecimen(to, body, SIDE / 2, 160);
      to.fillStyle = '#e9efee';
      to.fillText(name, SIDE / 2, 336, SIDE - 40);
      pictures.push(to.getImageData(0, 0, SIDE, SIDE).data);
    }
  }
  const rest = Math.max(LAST_FRAME_DELAY, LEAST - FRAME_DELAY * (pictures.length - 1));
  return { pictures, rest };
}

/**
 * Encodes a film as a GIF that loops.
 *
 * @param link stored as the GIF's comment
 * @throws the signal's reason
 */
export async function gifOf({ pictures, rest }: DrawnFilm, link: string, signal: AbortSignal) {
  // Choose the palette from every fourth picture, counted back from the last one. Earlier stages have
  // colours that the last picture lacks.
  const last = pictures.length - 1;
  const palette = await paletteOf(pictures.filter((_, i) => i % 4 === last % 4));
  const gif = new GifWriter(SIDE, SIDE, palette);
  for (const [i, picture] of pictures.entries()) {
    await yieldUnless(signal);
    gif.add(picture, i === last ? rest : FRAME_DELAY);
  }
  return new Blob([gif.finish(link)], { type: 'image/gif' });
}

/** Draws the mean of two frames. */
export function between(a: HTMLCanvasElement, b: HTMLCanvasElement): HTMLCanvasElement {
  const { canvas, to } = canvasOf(a.width, a.height);
  to.drawImage(a, 0, 0);
  to.globalAlpha = 0.5;
  to.drawImage(b, 0, 0);
  return canvas;
}

/**
 * The container format that this browser can record; undefined if none. MP4 is preferred because
 * phones save it with their pictures.
 */
export const videoFormat: string | undefined = ['mp4', 'webm'].find((format) =>
  globalThis.MediaRecorder?.isTypeSupported(`video/${format}`),
);

/**
 * Records a film in real time.
 *
 * @throws Error if the browser cannot record it
 */
export async function recordVideo({ pictures, rest }: DrawnFilm, link: string): Promise<Blob> {
  const { canvas, to } = canvasOf(SIDE, SIDE);
  const last = pictures.length - 1;
  const video = await record(canvas, async () => {
    // Draw the last picture repeatedly, because the recording would end early without new drawing.
    for (let i = 0; i < last + rest / FRAME_DELAY; i++) {
      to.putImageData(new ImageData(pictures[Math.min(i, last)], SIDE), 0, 0);
      await wait(FRAME_DELAY);
    }
  });
  return new Blob([video, latin1(tag(link))], { type: video.type });
}

/**
 * Records a canvas as a video in `videoFormat`, in real time, while it is drawn.
 *
 * @param bitrate in bits per second; if absent, the browser chooses
 * @throws Error if the browser cannot record it; the errors of `draw`
 */
export async function record(
  canvas: HTMLCanvasElement,
  draw: () => Promise<void>,
  bitrate?: number,
): Promise<Blob> {
  const type = `video/${videoFormat}`;
  const recorder = new MediaRecorder(canvas.captureStream(), {
    mimeType: type,
    ...(bitrate !== undefined && { videoBitsPerSecond: bitrate }),
  });
  const parts: BlobPart[] = [];
  recorder.ondataavailable = ({ data }) => parts.push(data);
  const stopped = new Promise((resolve, reject) => {
    recorder.onstop = resolve;
    recorder.onerror = reject;
  });
  recorder.start();
  try {
    await draw();
  } finally {
    recorder.stop();
  }
  await stopped;
  return new Blob(parts, { type });
}

/**
 * Returns the bytes that add a text to the end of a video: for WebM a tag, for MP4 a box that
 * players skip.
 */
function tag(text: string): string {
  if (videoFormat === 'mp4') return `\0\0${bigEndian(text.length + 8)}free${text}`;
  const simple = `${element('\x45\xa3', 'COMMENT')}${element('\x44\x87', text)}`;
  const one = `${element('\x63\xc0', '')}${element('\x67\xc8', simple)}`;
  return element('\x12\x54\xc3\x67', element('\x73\x73', one));
}

/** Returns an EBML element (RFC 8794). @param body fewer than 16,383 bytes */
const element = (id: string, body: string): string =>
  `${id}${bigEndian(0x4000 | body.length)}${body}`;

const bigEndian = (n: number): string => String.fromCharCode(n >> 8, n & 0xff);
