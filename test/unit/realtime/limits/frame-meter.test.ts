import { FrameMeter } from '../../../../server/realtime/limits/websocket-engine.ts';
import fc, { forAll } from '../../../support/property.ts';

interface Frame {
  readonly fin: boolean;
  readonly opcode: number;
  readonly length: number;
}

/** A masked frame, as clients send them. */
function framed({ fin, opcode, length }: Frame): Buffer {
  const width = length < 126 ? 0 : length < 65_536 ? 2 : 8;
  const head = Buffer.alloc(2 + width + 4, 0xff);
  head[0] = (fin ? 0x80 : 0) | opcode;
  head[1] = 0x80 | (width === 0 ? length : width === 2 ? 126 : 127);
  if (width === 2) head.writeUInt16BE(length, 2);
  if (width === 8) head.writeBigUInt64BE(BigInt(length), 2);
  // Payloads that look like headers must not be taken for any.
  return Buffer.concat([head, Buffer.alloc(length, 0x89)]);
}

const anyFrame = fc.record({
  fin: fc.boolean(),
  opcode: fc.constantFrom(0, 1, 2, 8, 9, 10),
  length: fc.oneof(fc.nat(10), fc.nat(200), fc.constantFrom(125, 126, 127, 65_535, 65_536)),
});

test('frames are counted by their headers, however the data is split', () => {
  forAll(
    fc.array(anyFrame, { maxLength: 20 }),
    fc.array(fc.oneof(fc.integer({ min: 1, max: 3 }), fc.integer({ min: 1, max: 9_000 })), {
      minLength: 1,
    }),
    (frames, cuts) => {
      const wire = Buffer.concat(frames.map(framed));
      const meter = new FrameMeter(64);
      const sum = { bytes: 0, others: 0 };
      for (let at = 0, i = 0; at < wire.length; i++) {
        const piece = wire.subarray(at, at + cuts[i % cuts.length]);
        const { bytes, others } = meter.push(piece);
        sum.bytes += bytes;
        sum.others += others;
        at += piece.length;
      }
      const costs = frames.map((frame) => Math.max(64, framed(frame).length));
      const isMessage = ({ fin, opcode }: Frame) => fin && (opcode === 0 || opcode === 2);
      expect(sum).toEqual({
        bytes: costs.reduce((total, cost) => total + cost, 0),
        others: frames.filter((frame) => !isMessage(frame)).length,
      });
    },
  );
});
