/** Which genomes a page that paints asks for, and when. */
import { Genomes } from '../../../client/render/paint/painting.ts';
import { RoomModel } from '../../../client/room/room-model.ts';
import { MAP_SIDE } from '../../../shared/painter/net.ts';
import { packGenomes } from '../../../shared/protocol/genomes.ts';
import { organismView, WELCOME } from '../../support/fake-server.ts';
import { chanceNet, learnedNet } from '../../support/painter-net.ts';

const organisms = [7, 8, 9].map((id) => organismView(id, { x: 10 * id, y: 32 }));

function page(net = learnedNet(1)) {
  const asked: unknown[] = [];
  const model = new RoomModel((name, payload) => name === 'genomes' && asked.push(payload));
  model.receive('welcome', { ...WELCOME, organisms });
  const maps = new Map<number, number | undefined>();
  const genomes = new Genomes(net, model, (id, map) => maps.set(id, map?.side));
  let now = 0;
  return {
    asked,
    maps,
    model,
    /** Draws pictures for a while, with all but the last organism in view. */
    look(time = 600) {
      for (const end = now + time; now < end; now += 200) {
        while (genomes.update((id) => id !== 9, now));
      }
    },
    /** @param value of all numbers of the latent; 0 is learned */
    answer: (id: number, value: number) =>
      model.receive('genomes', {
        genomes: [{ id, ...packGenomes({ latents: [new Float32Array(16).fill(value)] }) }],
      }),
    known: () => Object.fromEntries([...genomes.maps()].map(([id, { side }]) => [id, side])),
  };
}

const life = (event: object) => ({ tick: 1e6, events: [event] });

test('genomes are asked for once for each organism in view, and again if no answer comes', () => {
  const { asked, look, answer } = page();
  look();
  expect(asked).toEqual([{ organisms: [7, 8] }]);
  answer(7, 0);
  answer(8, 1);
  look(20_000);
  expect(asked).toHaveLength(1);
  const silent = page();
  silent.look(6_000);
  expect(silent.asked).toEqual([{ organisms: [7, 8] }, { organisms: [7, 8] }]);
});

test('only learned genomes have maps, which go with the organism, and are asked for again when it changes', () => {
  const { asked, look, answer, maps, model, known } = page();
  look();
  answer(7, 0);
  answer(8, 1);
  look();
  expect([...maps]).toEqual([[7, MAP_SIDE]]);
  expect(known()).toEqual({ 7: MAP_SIDE });
  model.receive('life', life({ what: 'grafted', id: 7, by: 1 }));
  look();
  expect(asked.at(-1)).toEqual({ organisms: [7] });
  expect(known()).toEqual({ 7: MAP_SIDE });
  answer(7, 1);
  look();
  expect([maps.get(7), known()]).toEqual([undefined, {}]);
  model.receive(
    'life',
    life({ what: 'transformed', id: 8, by: 1, kind: '', origin: 'prior', parents: [] }),
  );
  look();
  answer(8, 0);
  look();
  expect(known()).toEqual({ 8: MAP_SIDE });
  model.receive('life', life({ what: 'died', id: 8, cause: 'removed' }));
  expect([maps.get(8), known()]).toEqual([undefined, {}]);
});

test('a painter that has learned nothing asks for nothing, and strange answers are ignored', () => {
  const plain = page(chanceNet(1));
  plain.look();
  expect(plain.asked).toEqual([]);
  const { look, model, maps, answer } = page();
  answer(9, 0);
  model.receive('genomes', { genomes: [{ id: 7, latents: [] }] });
  look();
  expect([...maps]).toEqual([]);
});
