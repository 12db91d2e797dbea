import { fullViewport, ViewerStream } from '../../../../server/realtime/streaming/viewer-stream.ts';
import { FrameEncoder } from '../../../../shared/codec/frame-encoder.ts';
import { createPlanes } from '../../../../shared/codec/planes.ts';
import { TIERS } from '../../../../shared/codec/tiers.ts';
import { View } from '../../../../shared/codec/view.ts';
import { DEFAULTS } from '../../../../shared/defaults.ts';

const { maxFramesInFlight } = DEFAULTS.stream;

function open(writable = true) {
  const planes = createPlanes(256, 128);
  planes.owner.fill(1);
  planes.rgba.fill(200);
  const encoder = new FrameEncoder(new View(planes, 1), TIERS.full);
  const viewport = fullViewport(planes);
  const viewer = { writable, sendFrame: () => {} };
  return { encoder, viewport, stream: new ViewerStream({ viewer, viewport, encoder, now: 0 }) };
}

test('a new viewer gets every visible chunk, refined later, and then nothing more', () => {
  const { stream, encoder } = open();
  const first = stream.takeBlocks();
  expect(first.map(({ chunk }) => chunk)).toEqual([...Array(encoder.chunks).keys()]);
  let frames = 0;
  while (stream.takeBlocks().length > 0) expect(++frames).toBeLessThan(100);
  expect(frames).toBeGreaterThan(0);
});

test('a hidden page and a small viewport get fewer chunks', () => {
  const { stream, encoder, viewport } = open();
  stream.viewport = { ...viewport, width: 1, height: 1 };
  stream.updateChunks();
  expect(stream.chunks.length).toBeGreaterThan(0);
  expect(stream.chunks.length).toBeLessThan(encoder.chunks);
  stream.viewport = undefined;
  stream.updateChunks();
  expect(stream.takeBlocks()).toEqual([]);
});

test('chunks that a page still shows are not sent again', () => {
  const { stream, encoder } = open();
  const checksums = Array.from({ length: encoder.chunks }, (_, chunk) => encoder.check(chunk));
  checksums[0] ^= 1;
  stream.acceptHeld(checksums);
  expect(stream.takeBlocks().map(({ chunk }) => chunk)).toEqual([0]);
});

test('invalidated chunks are sent again; unknown ones are ignored', () => {
  const { stream } = open();
  while (stream.takeBlocks().length > 0);
  stream.invalidate([1, 1_000_000]);
  expect(stream.takeBlocks().map(({ chunk }) => chunk)).toEqual([1]);
});

test('a viewer with too many frames in flight waits for an acknowledgement', () => {
  const { stream } = open();
  for (let tick = 1; tick <= maxFramesInFlight; tick++) {
    expect(stream.mayReceive).toBe(true);
    stream.sent(tick, 0);
  }
  expect(stream.mayReceive).toBe(false);
  expect(stream.acknowledge(999, 10)).toBe(false);
  expect(stream.mayReceive).toBe(false);
  expect(stream.acknowledge(maxFramesInFlight, 10)).toBe(true);
  expect(stream.mayReceive).toBe(true);
});

test('a full transport holds frames back', () => {
  expect(open(false).stream.mayReceive).toBe(false);
});
