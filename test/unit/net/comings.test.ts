import { Comings } from '../../../server/net/comings.ts';

const one = (id: number, name = `Guest ${id}`) => ({ id, name, hue: 0 });

test('who has come and gone is told once, the same to all who are told the same', () => {
  const comings = new Comings();
  expect(comings.any).toBe(false);
  comings.enter(one(1));
  comings.enter(one(2));
  comings.leave(7);
  const news = comings.newsFor(5);
  expect(news).toEqual({ joined: [one(1), one(2)], left: [7] });
  expect(comings.newsFor(6)).toBe(news);
  expect(comings.newsFor()).toBe(news);
  comings.clear();
  expect(comings.any).toBe(false);
  expect(comings.newsFor(5)).toBeUndefined();
});

test('nobody is told that she has come herself', () => {
  const comings = new Comings();
  comings.enter(one(1));
  expect(comings.newsFor(1)).toBeUndefined();
  comings.enter(one(2));
  expect(comings.newsFor(1)).toEqual({ joined: [one(2)], left: [] });
});

test('who comes and goes before anybody was told is told of as gone: one who came in between has found her here', () => {
  const comings = new Comings();
  comings.enter(one(1));
  comings.leave(1);
  expect(comings.newsFor(2)).toEqual({ joined: [], left: [1] });
});

test('who goes and comes back before anybody was told is told of as here: one who came in between does not know her', () => {
  const comings = new Comings();
  comings.leave(1);
  comings.enter(one(1));
  expect(comings.newsFor(2)).toEqual({ joined: [one(1)], left: [] });
  comings.leave(1);
  expect(comings.newsFor(2)).toEqual({ joined: [], left: [1] });
});

test('a new name is told to everybody, to herself too; with it she goes like anybody', () => {
  const comings = new Comings();
  comings.rename(one(1, 'Ada'));
  expect(comings.newsFor(1)).toEqual({ joined: [one(1, 'Ada')], left: [] });
  expect(comings.newsFor(2)).toEqual({ joined: [one(1, 'Ada')], left: [] });
  comings.leave(1);
  expect(comings.newsFor(2)).toEqual({ joined: [], left: [1] });
});
