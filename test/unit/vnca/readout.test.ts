import { createReadout, dmolMean, toByte, type Visible } from '../../../server/vnca/readout.ts';
import { expectNear } from '../../support/compare.ts';

function readOne(card: Visible, state: number[]): { rgba: number[]; presence: number } {
  const rgba = new Uint8Array(4).fill(77);
  const presence = new Uint8Array(1).fill(77);
  createReadout(card)(Float32Array.of(99, ...state), 1, rgba, presence);
  return { rgba: [...rgba], presence: presence[0] };
}

describe('premultiplied RGBA', () => {
  const card: Visible = {
    channels: 6,
    readout: { kind: 'rgba-premultiplied', channels: [2, 1, 0, 5] },
    presence: { threshold: 0.1 },
  };

  test('comes from the named channels, clamped', () => {
    expect(readOne(card, [0.2, 0.4, 2, 9, 9, -1])).toEqual({
      rgba: [255, 102, 51, 0],
      presence: 0,
    });
  });

  test('presence is alpha, or the named channel', () => {
    expect(readOne(card, [0, 0, 0, 0.6, 0, 1]).presence).toBe(255);
    const other = { ...card, presence: { channel: 3, threshold: 0.1 } };
    expect(readOne(other, [0, 0, 0, 0.6, 0, 1]).presence).toBe(153);
  });

  test('reads every cell of a patch', () => {
    const rgba = new Uint8Array(8);
    const presence = new Uint8Array(2);
    const states = Float32Array.of(1, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 1);
    createReadout(card)(states, 0, rgba, presence);
    expect([...rgba]).toEqual([0, 0, 255, 0, 255, 0, 0, 255]);
    expect([...presence]).toEqual([0, 255]);
  });
});

describe('Bernoulli', () => {
  const card: Visible = {
    channels: 3,
    readout: { kind: 'bernoulli', channel: 1 },
    presence: { threshold: 0.5 },
  };

  test('is white ink, as opaque as it is likely', () => {
    const ink = Math.round(255 / (1 + Math.exp(-1.5)));
    expect(readOne(card, [9, 1.5, 9])).toEqual({ rgba: [ink, ink, ink, ink], presence: ink });
    expect(readOne(card, [9, -200, 9]).presence).toBe(0);
    expect(readOne(card, [1, 0, 0]).presence).toBe(128);
  });

  test('each logit reads as the byte of its sigmoid, also where one byte follows another', () => {
    const ofSigmoid = (logit: number): number => toByte(1 / (1 + Math.exp(-logit)));
    const logits = Array.from({ length: 40_000 }, (_, i) => Math.fround((i - 20_000) / 2_000));
    for (let byte = 0; byte < 255; byte++) {
      const share = (byte + 0.5) / 255;
      const edge = Math.fround(Math.log(share / (1 - share)));
      // About one float32 apart.
      for (let k = -3; k <= 3; k++) logits.push(Math.fround(edge * (1 + k * 1.2e-7)));
    }
    logits.push(0, -0, 1e-30, -1e-30, -2e-16, -4e-16, Infinity, -Infinity, Number.NaN);
    const states = Float32Array.from(logits.flatMap((logit) => [1, logit, 1]));
    const presence = new Uint8Array(logits.length);
    createReadout(card)(states, 0, new Uint8Array(4 * logits.length), presence);
    expect([...presence]).toEqual(logits.map(ofSigmoid));
  });
});

describe('discretised mixture of logistics', () => {
  test('with one mixture, later colours depend on earlier ones', () => {
    const state = Float32Array.of(5, 0.5, 9, 0.3, 0.1, 9, -0.4, -0.2, 9, 0.7);
    const r = 0.5;
    const g = 0.1 + Math.tanh(0.3) * r;
    const b = -0.2 + Math.tanh(-0.4) * r + Math.tanh(0.7) * g;
    expectNear(dmolMean(state, 0, 1), [r, g, b], 5e-7);
  });

  test('mixtures are weighted by the softmax of their logits', () => {
    // Two mixtures: logits, then means, log-scales and coefficients of R, G, B.
    const state = Float32Array.of(
      ...[0, Math.log(3)],
      ...[-1, 1, 0, 0, 0, 0],
      ...[0.2, 0.6, 0, 0, 0, 0],
      ...[0, 0, 0, 0, 0, 0],
    );
    expectNear(dmolMean(state, 0, 2), [0.5, 0.5, 0], 5e-7);
  });

  test('conditional means are clamped before others depend on them', () => {
    const state = Float32Array.of(0, 3, 0, 20, 0, 0, 0, 0, 0, 0);
    expect(dmolMean(state, 0, 1)).toEqual([1, 1, 0]);
  });

  test('−1…1 becomes 0…255, opaque', () => {
    const card: Visible = {
      channels: 10,
      readout: { kind: 'dmol', mixtures: 1 },
      presence: { threshold: 0.5 },
    };
    expect(readOne(card, [0, -1, 0, 0, 1, 0, 0, 0.2, 0, 0])).toEqual({
      rgba: [0, 255, 153, 255],
      presence: 255,
    });
    expect(readOne(card, new Array(10).fill(0))).toEqual({ rgba: [0, 0, 0, 0], presence: 0 });
  });
});
