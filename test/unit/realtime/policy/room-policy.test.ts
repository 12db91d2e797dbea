/** Whose names others see. */
import { RoomPolicy } from '../../../../server/realtime/policy/room-policy.ts';
import { DEFAULTS } from '../../../../shared/defaults.ts';
import { PAGE_DEFAULTS } from '../../../../shared/page-defaults.ts';
import { organismView } from '../../../support/welcome.ts';

test('where names are hidden, the gardener and the house keep theirs: they are nobody', () => {
  const policy = new RoomPolicy({
    ...DEFAULTS.roomSettings,
    ...DEFAULTS.room,
    names: false,
  } as never);
  const shown = (name: string) => {
    const planter = { id: 7, name, hue: 1 };
    const organism = organismView(1, { planter });
    const life = { tick: 1, events: [{ what: 'born' as const, organism }] };
    const [event] = policy.redactNames('life', life as never).events;
    return event.what === 'born' && event.organism.planter.name;
  };
  expect(shown('Ada')).toBe('');
  expect(shown(PAGE_DEFAULTS.attract.name)).toBe(PAGE_DEFAULTS.attract.name);
  expect(shown(PAGE_DEFAULTS.osc.planter)).toBe(PAGE_DEFAULTS.osc.planter);
});
