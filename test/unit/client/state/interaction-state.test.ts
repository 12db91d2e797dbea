import { keyAction } from '../../../../client/input/keyboard.ts';
import { Resolution, TickLength } from '../../../../client/render/frame-pacing.ts';
import { InteractionState } from '../../../../client/state/interaction-state.ts';

describe('session', () => {
  test('begins with an animal in hand', () => {
    const state = new InteractionState();
    const gallery = [
      { name: 'rose', kind: 'plant' },
      { name: 'fox', kind: 'animal' },
    ];
    state.holdFirst({ gallery }, () => 0.99);
    expect(state.state.held).toEqual({ from: 'gallery', index: 1 });
    state.holdFirst({ gallery, featured: [0] }, () => 0.99);
    expect(state.state.held).toEqual({ from: 'gallery', index: 0 });
    state.holdFirst({ gallery: [] }, () => 0);
    expect(state.state.held).toEqual({ from: 'prior', throw: 0 });
  });

  test('what the host hides is given up; what the host offers first replaces only what the visitor has not chosen', () => {
    const gallery = ['rose', 'fox', 'cat'].map((name) => ({ name, kind: 'animal' }));
    const begun = () => {
      const state = new InteractionState();
      state.take('graft');
      state.holdFirst({ gallery }, () => 0);
      return state;
    };
    const heldAfter = (state: InteractionState, offer: object) => {
      state.follow({ gallery }, () => 0, offer);
      return [state.state.held, state.state.tool] as const;
    };
    const of = (index: number) => [{ from: 'gallery', index }, 'graft'];
    expect(heldAfter(begun(), { hidden: [0, 1] })).toEqual(of(2));
    expect(heldAfter(begun(), { hidden: [2] })).toEqual(of(0));
    expect(heldAfter(begun(), { hidden: [0, 1, 2] })[0]).toMatchObject({ from: 'prior' });
    expect(heldAfter(begun(), { first: [2, 0] })).toEqual(of(0));
    expect(heldAfter(begun(), { first: [2] })).toEqual(of(2));
    expect(heldAfter(begun(), { first: [2, 9], hidden: [2] })).toEqual(of(0));
    const [chose, planted] = [begun(), begun()];
    chose.hold({ from: 'gallery', index: 1 });
    planted.sown(() => 0);
    expect(heldAfter(chose, { first: [2] })).toEqual(of(1));
    expect(heldAfter(planted, { first: [2] })).toEqual(of(0));
  });

  test('crossing takes a second organism, never the first again', () => {
    const state = new InteractionState();
    state.take('look');
    state.select(3);
    state.startCrossing();
    state.select(3);
    state.select(4);
    expect(state.state.selection).toMatchObject({ organism: 3, second: 4 });
    state.forget(4);
    expect(state.state.selection).toMatchObject({ organism: 3, second: 0 });
    state.forget(3);
    expect(state.state.selection).toBeUndefined();
  });

  test('a crossed seed is held for as long as the server keeps it', () => {
    const state = new InteractionState();
    const seed = { id: 9, origin: 'cross', parents: [1, 2] } as const;
    const drawn = { id: 7, origin: 'drawing', parents: [] } as const;
    state.hold({ from: 'hand', seed: 9 });
    state.keepTo([drawn, seed], () => 0);
    expect(state.state.held).toEqual({ from: 'hand', seed: 9 });
    state.keepTo([drawn], () => 0.5);
    expect(state.state.held).toEqual({ from: 'prior', throw: 2 ** 31 });
  });

  test('planting the dice’s seed throws the dice again; other seeds stay in hand', () => {
    const state = new InteractionState();
    state.throwDice(() => 0.25);
    expect(state.state.held).toEqual({ from: 'prior', throw: 2 ** 30 });
    state.sown(() => 0.5);
    expect(state.state.held).toEqual({ from: 'prior', throw: 2 ** 31 });
    state.hold({ from: 'gallery', index: 3 });
    state.sown(() => 0.75);
    expect(state.state).toMatchObject({ planted: 2, held: { from: 'gallery', index: 3 } });
  });

  test('the brush stays within its limits', () => {
    const state = new InteractionState();
    state.setRadius(99);
    expect(state.state.radius).toBe(12);
    state.setRadius(0);
    expect(state.state.radius).toBe(0.5);
    state.setRadius(9);
    state.setWidest(4);
    expect(state.state.radius).toBe(4);
  });
});

describe('clocks', () => {
  test('the length of a tick is known also where a quiet room sends nothing in some, and pauses do not count', () => {
    const length = new TickLength();
    let now = 0;
    let tick = 0;
    const pass = (ticks: number, ms: number): void => length.arrived((now += ms), (tick += ticks));
    for (let i = 0; i < 60; i++) pass(1 + (i % 3), 100 * (1 + (i % 3)));
    expect(length.mean).toBeCloseTo(100, 0);
    pass(1, 60_000);
    expect(length.mean).toBeCloseTo(100, 0);
  });

  test('resolution falls while frames are slow, and not because of pauses', () => {
    const resolution = new Resolution();
    let now = 0;
    for (let i = 0; i < 60; i++) resolution.frame((now += 1_000));
    expect(resolution.ratio(3)).toBe(2);
    // A screen of 30 Hz is not slow.
    for (let i = 0; i < 300; i++) resolution.frame((now += 1_000 / 30));
    expect(resolution.ratio(3)).toBe(2);
    for (let i = 0; i < 60; i++) resolution.frame((now += 50));
    expect(resolution.ratio(3)).toBeLessThan(1.5);
  });

  test('resolution falls soon where each picture waits for the GPU, however long, and not because of the first', () => {
    const waiting = new Resolution();
    let now = 0;
    waiting.frame(now, true);
    for (let i = 0; i < 8; i++) waiting.frame((now += 600), true);
    expect(waiting.ratio(2)).toBe(1);
    const compiling = new Resolution();
    compiling.frame(0, true);
    compiling.frame((now = 3_000), true);
    for (let i = 0; i < 60; i++) compiling.frame((now += 1_000 / 60));
    expect(compiling.ratio(2)).toBe(2);
  });
});

describe('keys', () => {
  test('arrows move the view only from the canvas', () => {
    expect(keyAction('D', false)).toEqual({ do: 'take', tool: 'damage' });
    expect(keyAction('g', false)).toEqual({ do: 'take', tool: 'graft' });
    expect(keyAction('ArrowLeft', false)).toBeUndefined();
    expect(keyAction('ArrowLeft', true)).toMatchObject({ do: 'move' });
  });
});
