import { RequestTracker } from '../../../client/net/request-tracker.ts';
import { WishedName } from '../../../client/net/wished-name.ts';

function open() {
  const line = { live: true };
  const sent: { id: number; name: string }[] = [];
  const told: string[] = [];
  const requests = new RequestTracker((_, payload) => {
    if (line.live) sent.push(payload as never);
  });
  const wished = new WishedName(
    requests.ask,
    () => line.live,
    (name) => told.push(`is ${name}`),
  );
  const want = (name: string): void => wished.want(name, (why) => told.push(`${name}: ${why}`));
  return { line, sent, told, requests, wished, want };
}

test('a name is requested at once, and applies when the server has accepted it', () => {
  const { sent, told, requests, wished, want } = open();
  want('Ada');
  expect(sent.map(({ name }) => name)).toEqual(['Ada']);
  expect(told).toEqual([]);
  requests.accepted({ id: sent[0].id });
  wished.tell();
  expect([told, sent.length]).toEqual([['is Ada'], 1]);
});

test('a name chosen while disconnected, or whose answer was lost, is requested after reconnecting', () => {
  const { line, sent, told, requests, wished, want } = open();
  line.live = false;
  want('Ad');
  want('Ada');
  expect(sent).toEqual([]);
  line.live = true;
  wished.tell();
  line.live = false;
  line.live = true;
  wished.tell();
  expect(sent.map(({ name }) => name)).toEqual(['Ada', 'Ada']);
  requests.accepted({ id: sent[1].id });
  expect(told).toEqual(['is Ada']);
});

test('a rejected name is not requested again; an answer to an earlier request is ignored', () => {
  const { sent, told, requests, wished, want } = open();
  want('Bad');
  want('Worse');
  requests.rejected({ id: sent[0].id, reason: 'bad-name' });
  expect(told).toEqual([]);
  requests.rejected({ id: sent[1].id, reason: 'bad-name' });
  wished.tell();
  expect([told, sent.length]).toEqual([['Worse: bad-name'], 2]);
});
