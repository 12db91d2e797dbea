import { jest } from '@jest/globals';
import { decode, encode } from 'msgpackr';
import { type Connection, framed, Outbox } from '../../../../server/realtime/streaming/outbox.ts';
import { parser } from '../../../../shared/protocol/parser.ts';

/** A connection that records its writes. */
class Line implements Connection {
  readonly writes: Uint8Array[] = [];

  write(
    data: Uint8Array,
    { wsPreEncodedFrame: [frame] }: { wsPreEncodedFrame: readonly [Uint8Array] },
  ) {
    expect(frame).toBe(data);
    this.writes.push(data);
  }

  /** The messages of all writes, in their order. */
  get messages(): unknown[] {
    const bytes = Buffer.concat(this.writes);
    const messages: unknown[] = [];
    for (let at = 0; at < bytes.length; ) {
      expect(bytes[at]).toBe(0x82);
      const short = bytes[at + 1];
      const [head, length] =
        short < 126
          ? [2, short]
          : short === 126
            ? [4, bytes.readUInt16BE(at + 2)]
            : [10, Number(bytes.readBigUInt64BE(at + 2))];
      messages.push(decode(bytes.subarray(at + head, at + head + length)).data);
      at += head + length;
    }
    return messages;
  }
}

/** An outbox whose turns end when the test ends them. */
function open() {
  const turns: (() => void)[] = [];
  const outbox = new Outbox((run) => turns.push(run));
  const endTurn = (): void => {
    for (const run of turns.splice(0)) run();
  };
  return { outbox, endTurn };
}

test('all messages to a client in one turn go out in one write, in order', () => {
  const { outbox, endTurn } = open();
  const [a, b] = [new Line(), new Line()];
  outbox.send(a, 'life', { tick: 1 });
  outbox.send(b, 'pace', { tick: 2 });
  outbox.send(a, 'frame', new Uint8Array([1, 2, 3]));
  outbox.send(a, 'life', { tick: 3 });
  expect(a.writes).toEqual([]);
  endTurn();
  expect([a.writes.length, b.writes.length]).toEqual([1, 1]);
  expect(a.messages).toEqual([
    ['life', { tick: 1 }],
    ['frame', Buffer.from([1, 2, 3])],
    ['life', { tick: 3 }],
  ]);
  outbox.send(a, 'life', { tick: 4 });
  endTurn();
  expect(a.writes).toHaveLength(2);
  expect(a.messages[3]).toEqual(['life', { tick: 4 }]);
});

test('a message to many clients is encoded once', () => {
  const encode = jest.spyOn(parser.Encoder.prototype, 'encode');
  const { outbox, endTurn } = open();
  const lines = Array.from({ length: 100 }, () => new Line());
  const news = [{ id: 1, x: 2 }];
  const frames = [new Uint8Array([1]), new Uint8Array([2])];
  lines.forEach((line, i) => {
    outbox.send(line, 'cursors', news);
    outbox.send(line, 'frame', frames[i % 2]);
  });
  outbox.send(lines[0], 'cursors', [{ id: 1, x: 2 }]);
  outbox.send(lines[0], 'life', news);
  endTurn();
  expect(encode).toHaveBeenCalledTimes(5);
  lines.forEach((line, i) => {
    expect(line.messages.slice(0, 2)).toEqual([
      ['cursors', news],
      ['frame', Buffer.from(frames[i % 2])],
    ]);
  });
  expect(lines[0].messages.slice(2)).toEqual([
    ['cursors', news],
    ['life', news],
  ]);
  // In the next turn the object may have changed.
  news[0].x = 3;
  outbox.send(lines[0], 'cursors', news);
  endTurn();
  expect(lines[0].messages.at(-1)).toEqual(['cursors', [{ id: 1, x: 3 }]]);
});

test('a client that is disconnected first receives everything sent before', () => {
  const { outbox, endTurn } = open();
  const [a, b] = [new Line(), new Line()];
  outbox.send(a, 'life', 1);
  outbox.send(b, 'life', 2);
  outbox.send(a, 'rejected', 3);
  outbox.flushNow(a);
  expect(a.messages).toEqual([
    ['life', 1],
    ['rejected', 3],
  ]);
  expect(b.writes).toEqual([]);
  outbox.flushNow(a);
  endTurn();
  expect([a.writes.length, b.writes.length]).toEqual([1, 1]);
});

test.each([0, 125, 126, 65_535, 65_536])('a frame of %d bytes has the right header', (length) => {
  const message = new Uint8Array(length).fill(7);
  const line = new Line();
  const frame = framed(message);
  expect(frame.subarray(frame.length - length)).toEqual(Buffer.from(message));
  expect(frame.length - length).toBe(length < 126 ? 2 : length < 65_536 ? 4 : 10);
  line.writes.push(framed(encode({ data: message })));
  expect(line.messages).toEqual([Buffer.from(message)]);
});
