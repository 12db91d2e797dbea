import { SettingsError } from '../../../server/settings/command.ts';
import { HELP, readOptions } from '../../../server/training/options.ts';

test('all options in the help are accepted', () => {
  const args = '--run r --out o --updates 5 --minutes 0.5 --batch 2 --backend cpu --threads 1';
  expect(readOptions(['a.json', ...args.split(' '), '--resume'])).toEqual({
    file: 'a.json',
    resume: true,
    run: 'r',
    out: 'o',
    updates: 5,
    minutes: 0.5,
    batch: 2,
    backend: 'cpu',
    threads: 1,
  });
  expect(readOptions(['a.json', '--from', 'checkpoints/x'])).toEqual({
    file: 'a.json',
    resume: false,
    from: 'checkpoints/x',
    backend: 'auto',
  });
  expect(readOptions(['-h'])).toBe('help');
  expect(readOptions(['a.json', '--images', '~/drawings', '--name', 'mine'])).toMatchObject({
    images: '~/drawings',
    name: 'mine',
  });
  for (const [, option] of HELP.matchAll(/^ {2}(--[a-z]+)/gm)) {
    expect(`${args} --resume --from --images --name`).toContain(option);
  }
});

test.each([
  [[], 'one configuration'],
  [['a.json', 'b.json'], 'not 2'],
  [['a.json', '--colour'], '--colour'],
  [['a.json', '--updates', '0'], '--updates'],
  [['a.json', '--updates', '1.5'], '--updates'],
  [['a.json', '--batch', '-2'], '--batch'],
  [['a.json', '--batch=-2'], '--batch'],
  [['a.json', '--threads', 'two'], '--threads'],
  [['a.json', '--minutes='], '--minutes'],
  [['a.json', '--backend', 'abacus'], 'onnx, tensorflow, webgpu, wasm, cpu'],
  [['a.json', '--resume', '--from', 'x'], '--from'],
])('%j is refused with one sentence', (args, text) => {
  let error: unknown;
  try {
    readOptions(args);
  } catch (thrown) {
    error = thrown;
  }
  expect(error).toBeInstanceOf(SettingsError);
  const { message } = error as SettingsError;
  expect(message).toContain(text);
  expect(message.split('\n')).toHaveLength(1);
});
