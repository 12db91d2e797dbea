import { createMetrics } from '../../../server/operations/metrics.ts';

test('a closed or removed room has no metrics', async () => {
  const room = (name: string, participants: number) => {
    return {
      name,
      participants,
      organisms: 1,
      awake: 1,
      reported: 0,
      rate: 15,
      tick: 9,
      walls: 0,
      wallStates: [],
    };
  };
  let rooms = [room('garden', 3), room('attic', 2)];
  const metrics = createMetrics({
    engine: { name: 'onnx', device: 'cpu' } as never,
    rooms: () => rooms,
    remote: () => [{ room: 'garden', server: 'gateway-a', connections: 5 }],
    cluster: () => ({ latency: 2, epochs: [{ room: 'garden', epoch: 7 }] }),
    rejections: () => ({}),
    isPersisting: () => undefined,
    diskFree: () => undefined,
    setAside: () => undefined,
    alerts: () => [],
  });
  const figures = async () => (await metrics.text()).match(/^vivarium_room_participants.*$/gm);
  expect(await figures()).toEqual([
    'vivarium_room_participants{room="garden"} 3',
    'vivarium_room_participants{room="attic"} 2',
  ]);
  rooms = [room('garden', 4)];
  expect(await figures()).toEqual(['vivarium_room_participants{room="garden"} 4']);
  expect(await metrics.text()).toMatch(
    /^vivarium_remote_connections\{room="garden",server="gateway-a"\} 5$/m,
  );
  expect(await metrics.text()).toMatch(/^vivarium_lease_epoch\{room="garden"\} 7$/m);
  expect(await metrics.text()).toMatch(/^vivarium_bus_latency_seconds 0\.002$/m);
  expect(await metrics.text()).not.toContain('attic');
  rooms = [];
  expect(await figures()).toBeNull();
  metrics.close();
});
