/** The film of an organism that grows from its seed: its pictures, and a GIF of them. */

import { applyPalette, GIFEncoder, type Palette, quantize } from 'gifenc';
import { FONTS } from '../style/fragments.ts';
import { canvasOf, type DrawBody, drawGround, drawSpecimen } from './specimen.ts';

/** The bytes of a text whose characters are all below 256, as file formats ask for. */
export const latin1 = (text: string): Uint8Array<ArrayBuffer> =>
  Uint8Array.from(text, (character) => character.charCodeAt(0));

const COLORS = 256;
/** 4×4 ordered dithering; without it, the dark background shows colour bands. */
const BAYER = [0, 8, 2, 10, 12, 4, 14, 6, 3, 11, 1, 9, 15, 7, 13, 5];
/** Amplitude of the dithering, of 255. */
const DITHER = 7;

/**
 * Chooses the 256 colours that represent the pictures best.
 *
 * @param pictures RGBA, opaque
 */
export function paletteOf(pictures: readonly Uint8ClampedArray[]): Palette {
  const all = new Uint8ClampedArray(pictures.reduce((sum, { length }) => sum + length, 0));
  let offset = 0;
  for (const picture of pictures) {
    all.set(picture, offset);
    offset += picture.length;
  }
  return quantize(all, COLORS);
}

/** Encoder for an animated GIF that loops forever. */
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
   * @param delay ms; GIF rounds to steps of 10 ms
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

/** Width and height of the film, pixels. */
export const SIDE = 360;
/** How long each picture is shown, ms, and the film as a whole at least. */
export const FRAME_DELAY = 120;
const LEAST = 6_500;
/** How long the grown organism stays in view at least, ms. */
const LAST_FRAME_DELAY = 2_200;
/** Opaque cells with which there is something to see. */
const VISIBLE = 8;

/** A film's pictures, RGBA [360, 360, 4], shown for `FRAME_DELAY` each, but the last longer. */
export interface DrawnFilm {
  readonly pictures: readonly Uint8ClampedArray<ArrayBuffer>[];
  /** How long the last picture is shown, ms. */
  readonly rest: number;
}

/**
 * Resolves after a delay, ms. Without one it yields to the event loop: encoding takes long on a
 * phone and must not freeze the page.
 */
export const wait = (delay = 0): Promise<void> =>
  new Promise((resolve) => setTimeout(resolve, delay));

/** Yields to the event loop. @throws the signal's reason: nobody waits for the work any more */
export const yieldUnless = async (signal?: AbortSignal): Promise<void> => {
  await wait();
  signal?.throwIfAborted();
};

/**
 * Draws the film. It begins with the first frame that shows something; between two frames, one
 * fades into the other.
 *
 * @param frames cells [side, side] of each step, the grown organism last
 * @param name written below
 * @param drawBody also ends with the signal's reason
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
  const first = frames.findIndex((cells) => opaqueIn(cells) >= VISIBLE);
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

/** Encodes a film as a GIF that loops. @param link its comment @throws the signal's reason */
export async function gifOf(
  { pictures, rest }: DrawnFilm,
  link: string,
  signal: AbortSignal,
): Promise<Blob> {
  // Sample every fourth frame, counted back from the last: earlier stages have other colours.
  const last = pictures.length - 1;
  const palette = paletteOf(pictures.filter((_, i) => i % 4 === last % 4));
  const gif = new GifWriter(SIDE, SIDE, palette);
  for (const [i, picture] of pictures.entries()) {
    await yieldUnless(signal);
    gif.add(picture, i === last ? rest : FRAME_DELAY);
  }
  return new Blob([gif.finish(link)], { type: 'image/gif' });
}

function opaqueIn(cells: HTMLCanvasElement): number {
  const { data } = cells.getContext('2d')!.getImageData(0, 0, cells.width, cells.height);
  return data.filter((value, i) => i % 4 > 2 && value > 127).length;
}

/** Halfway between two frames. */
export function between(a: HTMLCanvasElement, b: HTMLCanvasElement): HTMLCanvasElement {
  const { canvas, to } = canvasOf(a.width, a.height);
  to.drawImage(a, 0, 0);
  to.globalAlpha = 0.5;
  to.drawImage(b, 0, 0);
  return canvas;
}

/** The container that the browser records; undefined: none. Phones keep MP4 among their pictures. */
export const videoFormat: string | undefined = ['mp4', 'webm'].find((format) =>
  globalThis.MediaRecorder?.isTypeSupported(`video/${format}`),
);

/**
 * Records a film, which takes as long as it lasts.
 *
 * @throws Error when the browser cannot
 */
export async function recordVideo({ pictures, rest }: DrawnFilm, link: string): Promise<Blob> {
  const { canvas, to } = canvasOf(SIDE, SIDE);
  const type = `video/${videoFormat}`;
  const recorder = new MediaRecorder(canvas.captureStream(), { mimeType: type });
  const parts: BlobPart[] = [];
  recorder.ondataavailable = ({ data }) => parts.push(data);
  const stopped = new Promise((resolve, reject) => {
    recorder.onstop = resolve;
    recorder.onerror = reject;
  });
  recorder.start();
  const last = pictures.length - 1;
  // A picture that stays is drawn again: without changes the recording would end early.
  for (let i = 0; i < last + rest / FRAME_DELAY; i++) {
    to.putImageData(new ImageData(pictures[Math.min(i, last)], SIDE), 0, 0);
    await wait(FRAME_DELAY);
  }
  recorder.stop();
  await stopped;
  return new Blob([...parts, latin1(tag(link))], { type });
}

/** What is appended to carry a text: to WebM a tag, to MP4 a box that players skip. */
function tag(text: string): string {
  if (videoFormat === 'mp4') return `\0\0${bigEndian(text.length + 8)}free${text}`;
  const simple = `${element('\x45\xa3', 'COMMENT')}${element('\x44\x87', text)}`;
  const one = `${element('\x63\xc0', '')}${element('\x67\xc8', simple)}`;
  return element('\x12\x54\xc3\x67', element('\x73\x73', one));
}

/** An element of EBML (RFC 8794), with less than 16,383 bytes. */
const element = (id: string, body: string): string =>
  `${id}${bigEndian(0x4000 | body.length)}${body}`;

const bigEndian = (n: number): string => String.fromCharCode(n >> 8, n & 0xff);
