import { chooseYielding, countSlots } from '../../../../server/realtime/sessions/yielding.ts';
import { DEFAULTS } from '../../../../shared/defaults.ts';
import fc from '../../../support/property.ts';

const NOW = 1_000_000;
const IDLE = DEFAULTS.stream.idleYields;

const seat = fc.record({
  address: fc.constantFrom('a', 'b', 'c'),
  activeAt: fc.integer({ min: NOW - IDLE + 1, max: NOW }),
});
const seats = fc.array(seat, { minLength: 1, maxLength: 30 });

describe('who gives way', () => {
  test('the longest idle, whatever their address', () => {
    const idle = { address: 'b', activeAt: NOW - IDLE - 1 };
    const scene = [
      { address: 'a', activeAt: NOW - IDLE },
      idle,
      { address: 'a', activeAt: NOW },
      { address: 'a', activeAt: NOW },
    ];
    expect(chooseYielding(scene, 'b', NOW)).toBe(idle);
  });

  test('otherwise one of the address with most, as long as that does not make it the poorer one', () => {
    fc.assert(
      fc.property(seats, fc.constantFrom('a', 'b', 'd'), (scene, waiting) => {
        const before = countSlots(scene);
        const chosen = chooseYielding(scene, waiting, NOW);
        const most = Math.max(...before.values());
        const own = before.get(waiting) ?? 0;
        expect(chosen !== undefined).toBe(most >= own + 2);
        if (!chosen) return;
        expect(before.get(chosen.address)).toBe(most);
        expect(most - 1).toBeGreaterThanOrEqual(own + 1);
        for (const other of scene.filter(({ address }) => address === chosen.address)) {
          expect(other.activeAt).toBeGreaterThanOrEqual(chosen.activeAt);
        }
      }),
    );
  });

  test('nobody while only one address wants places', () => {
    fc.assert(
      fc.property(seats, (scene) => {
        const museum = scene.map((one) => ({ ...one, address: 'a' }));
        expect(chooseYielding(museum, 'a', NOW)).toBeUndefined();
      }),
    );
  });

  test('places come to rest, equally shared by those who wait on', () => {
    fc.assert(
      fc.property(
        seats,
        fc.array(fc.constantFrom('a', 'b', 'd'), { maxLength: 80 }),
        (scene, line) => {
          const room: { address: string; activeAt: number }[] = [...scene];
          for (const address of line) {
            const chosen = chooseYielding(room, address, NOW);
            if (chosen) room[room.indexOf(chosen)] = { address, activeAt: NOW };
          }
          const counts = countSlots(room);
          const most = Math.max(...counts.values());
          for (const address of new Set(line)) {
            const wanted = line.filter((other) => other === address).length;
            const had = scene.filter((one) => one.address === address).length;
            expect(counts.get(address) ?? 0).toBeGreaterThanOrEqual(
              Math.min(most - 1, had + wanted, Math.floor(scene.length / 4)),
            );
          }
        },
      ),
    );
  });
});
