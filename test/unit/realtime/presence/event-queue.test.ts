import { EventQueue } from '../../../../server/realtime/presence/event-queue.ts';
import fc, { forAll } from '../../../support/property.ts';

/** Records the events it receives. */
class Listener {
  readonly told: number[] = [];
  readonly writable = true;

  send(_: string, message: unknown): void {
    this.told.push((message as { organism: number }).organism);
  }

  sendFrame(): void {}
  disconnect(): void {}
}

const beacon = (organism: number) => ({ organism, hue: 0 });

test('every client receives every event once and in order, whenever it is their turn', () => {
  forAll(
    fc.array(fc.tuple(fc.nat(3), fc.boolean()), { minLength: 2, maxLength: 40 }),
    fc.nat(2),
    (rounds, turn) => {
      const news = new EventQueue();
      const [always, sometimes] = [new Listener(), new Listener()];
      let count = 0;
      rounds.forEach(([many, early], round) => {
        for (let i = 0; i < many; i++) news.add('beacon', beacon(++count));
        // This client's turn is every third round, and sometimes earlier.
        news.deliver([always, sometimes], (one) => one === always || early || round % 3 === turn);
      });
      news.deliver([sometimes], () => true);
      const all = Array.from({ length: count }, (_, i) => i + 1);
      expect(always.told).toEqual(all);
      expect(sometimes.told).toEqual(all);
    },
  );
});

test('a client that was just welcomed receives no earlier events', () => {
  const news = new EventQueue();
  const [here, newcomer] = [new Listener(), new Listener()];
  news.add('beacon', beacon(1));
  news.deliver([here], () => false);
  news.startFor(newcomer);
  news.add('beacon', beacon(2));
  news.deliver([here, newcomer], () => true);
  expect(here.told).toEqual([1, 2]);
  expect(newcomer.told).toEqual([2]);
});
