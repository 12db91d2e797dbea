import { WallSlots } from '../../../../server/realtime/sessions/room-walls.ts';
import { DEFAULTS } from '../../../../shared/defaults.ts';
import { Refusal } from '../../../../shared/protocol/reasons.ts';
import fc, { forAll } from '../../../support/property.ts';

const { maxWalls } = DEFAULTS.room;

test('at the limit, a second address gets up to half of the walls', () => {
  const walls = new WallSlots<string>(maxWalls);
  for (let i = 0; i < maxWalls; i++) walls.add(`stranger ${i}`, 'far');
  expect(walls.add('house 0', 'here')).toBe(`stranger ${maxWalls - 1}`);
  for (let i = 1; i < maxWalls / 2; i++) walls.add(`house ${i}`, 'here');
  expect(() => walls.add('house', 'here')).toThrow(new Refusal('too-many-walls'));
  expect(() => walls.add('stranger', 'far')).toThrow(new Refusal('too-many-walls'));
  expect(walls.size).toBe(maxWalls);
  expect(walls.hasWallAt('far')).toBe(true);
});

test('the limit holds, and a wall is replaced only for an address with fewer walls', () => {
  forAll(fc.array(fc.nat(3), { maxLength: 60 }), (addresses) => {
    const walls = new WallSlots<number>(6);
    const at = new Map<number, number>();
    const count = (address: number): number =>
      [...at.values()].filter((one) => one === address).length;
    addresses.forEach((address, wall) => {
      const before = [...at.keys()];
      try {
        const gone = walls.add(wall, `${address}`);
        if (gone !== undefined) {
          expect(before).toContain(gone);
          expect(count(at.get(gone)!)).toBeGreaterThan(count(address) + 1);
          at.delete(gone);
        }
        at.set(wall, address);
      } catch (error) {
        expect(error).toEqual(new Refusal('too-many-walls'));
        expect(before).toHaveLength(6);
      }
      expect([...walls.members].sort()).toEqual([...at.keys()].sort());
    });
    expect(walls.size).toBeLessThanOrEqual(6);
  });
});

test('all IPv6 networks of one site count together', () => {
  const walls = new WallSlots<string>(maxWalls);
  for (let i = 0; i < maxWalls; i++)
    walls.add(`stranger ${i}`, `2001:db8:1:${i.toString(16)}::/64`);
  expect(walls.add('house', '10.0.0.1')).toBe(`stranger ${maxWalls - 1}`);
  expect(() => walls.add('stranger', '2001:db8:1:ff::/64')).toThrow(new Refusal('too-many-walls'));
});
