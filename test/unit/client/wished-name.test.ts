import { RequestTracker } from '../../../client/net/request-tracker.ts';
import { WishedName } from '../../../client/net/session-storage.ts';

function open() {
  const line = { live: true };
  const sent: { id: number; name: string }[] = [];
  const told: string[] = [];
  const requests = new RequestTracker((_, payload) => {
    if (line.live) sent.push(payload as never);
  });
  const wished = new WishedName(
    requests.ask.bind(requests) as RequestTracker['ask'],
    () => line.live,
    (name) => told.push(`is ${name}`),
  );
  const want = (name: string): void => wished.want(name, (why) => told.push(`${name}: ${why}`));
  return { line, sent, told, desk: requests, wished, want };
}

test('a name is asked for at once, and hers when the server has taken it', () => {
  const { sent, told, desk: requests, wished, want } = open();
  want('Ada');
  expect(sent.map(({ name }) => name)).toEqual(['Ada']);
  expect(told).toEqual([]);
  requests.accepted({ id: sent[0].id });
  wished.tell();
  expect([told, sent.length]).toEqual([['is Ada'], 1]);
});

test('a name that she wanted while the line was broken, or whose answer was lost, is asked for when it is back', () => {
  const { line, sent, told, desk: requests, wished, want } = open();
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

test('a name that is refused is not asked for again; an answer to what she wanted before is passed over', () => {
  const { sent, told, desk: requests, wished, want } = open();
  want('Bad');
  want('Worse');
  requests.rejected({ id: sent[0].id, reason: 'bad-name' });
  expect(told).toEqual([]);
  requests.rejected({ id: sent[1].id, reason: 'bad-name' });
  wished.tell();
  expect([told, sent.length]).toEqual([['Worse: bad-name'], 2]);
});
