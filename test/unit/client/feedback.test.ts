import { Feedback, Haptics } from '../../../client/feedback/feedback.ts';
import { Effects } from '../../../client/render/effects.ts';
import { MarkList } from '../../../client/render/marks.ts';
import type { RoomModel } from '../../../client/room/room-model.ts';

const FLESH = Array.from({ length: 20 }, (_, i) => ({
  x: 10.5 + i,
  y: 10.5,
  color: [0.8, 0.4, 0.4] as const,
}));
const WAY = { x: 8, y: 10, x2: 32, y2: 10 };

/** Marks that a cut shows after this many ms. */
function marksOf(calm: boolean, after: number): MarkList {
  const effects = new Effects(calm, () => 0.1);
  const marks = new MarkList();
  effects.cut({ flesh: FLESH, rim: FLESH.slice(0, 4) }, WAY, 2, 0);
  effects.draw(0, marks);
  marks.clear();
  effects.draw(after, marks);
  return marks;
}

test('a cut shows at once, with particles unless motion is reduced, and ends within two seconds', () => {
  expect(marksOf(false, 0).count).toBeGreaterThan(FLESH.length);
  // The hole, its lines and its rim stay where they are.
  const calm = marksOf(true, 0);
  expect(calm.count).toBeLessThan(10);
  const later = marksOf(true, 300);
  expect(later.data.slice(0, 4)).toEqual(calm.data.slice(0, 4));
  expect(marksOf(false, 2_000).count).toBe(0);
});

test('on a slow machine a cut starts late, and is left out when it is seconds old', () => {
  const opened = marksOf(true, 0);
  for (const [late, shown] of [
    [900, opened.count],
    [5_000, 0],
  ]) {
    const effects = new Effects(true);
    const marks = new MarkList();
    effects.cut({ flesh: FLESH, rim: FLESH.slice(0, 4) }, WAY, 2, 0);
    effects.draw(late, marks);
    expect(marks.count).toBe(shown);
  }
});

test('vibration is as strong as the cut, with pauses in between', () => {
  const felt: (number | number[])[] = [];
  const haptics = new Haptics((pattern) => felt.push(pattern));
  for (let now = 0; now < 100; now += 10) haptics.cut(now / 100, now);
  expect(felt).toHaveLength(2);
  expect(felt[1]).toBeGreaterThan(felt[0] as number);
});

test('there is no sound or vibration until they are turned on', () => {
  let listen: (change: unknown) => void = () => {};
  const model = {
    you: { id: 1 },
    on: (_: string, listener: typeof listen) => {
      listen = listener;
    },
  };
  const feedback = new Feedback(model as unknown as RoomModel);
  expect(feedback.isOn).toBe(false);
  listen({ event: { what: 'born' }, organism: { planter: { id: 1 } } });
  feedback.cut(10, 3, 0);
  feedback.play('refused');
  feedback.hide(true);
  feedback.turnOff();
  // Without audio in this environment, the switch stays off.
  feedback.turnOn();
  expect(feedback.isOn).toBe(false);
});

describe('what happens to own organisms', () => {
  const played: string[] = [];
  const tones = { ...spyOf('sound'), divided: () => {} };

  function spyOf(by: string) {
    return { play: (name: string) => played.push(`${by} ${name}`) };
  }

  test('is heard and felt: births, healing, departing, and what has departed; deaths otherwise not', () => {
    let listen: (change: unknown) => void = () => {};
    const model = {
      you: { id: 1 },
      on: (_: string, listener: typeof listen) => {
        listen = listener;
      },
    };
    const feedback = new Feedback(model as unknown as RoomModel);
    Object.assign(feedback, { context: {}, sound: tones, haptics: spyOf('haptics') });
    const happens = (event: object, by = 1) => listen({ event, organism: { planter: { id: by } } });
    for (const what of ['born', 'departing', 'renewed']) happens({ what });
    happens({ what: 'died', cause: 'departed' });
    happens({ what: 'died', cause: 'removed' });
    happens({ what: 'departing' }, 2);
    expect(played.filter((one) => one.startsWith('sound'))).toEqual([
      'sound planted',
      'sound departing',
      'sound healed',
      'sound departed',
    ]);
  });

  test('that it departs does not end the vibration by which the page says so', () => {
    const felt: (number | number[])[] = [];
    const haptics = new Haptics((pattern) => felt.push(pattern));
    for (const name of ['affected', 'departing', 'departed'] as const) haptics.play(name);
    expect(felt).toHaveLength(2);
  });
});
