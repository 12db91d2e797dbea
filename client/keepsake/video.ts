/** The film as a video, where the browser can record one. */
import { type DrawnFilm, FRAME_DELAY, SIDE, wait } from './film.ts';
import { latin1 } from './latin1.ts';
import { canvasOf } from './specimen.ts';

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
