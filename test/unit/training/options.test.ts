import { COMPUTE_NAMES } from '../../../server/autodiff/compute.ts';
import { helpText } from '../../../server/settings/document.ts';
import { COMMAND, readOptions } from '../../../server/training/command.ts';

test('all options in the help are accepted', () => {
  const args =
    '--run r --out o --updates 5 --minutes 0.5 --batch 2 --backend onnx --threads 1 --images i --name mine';
  expect(readOptions(['a.json', ...args.split(' '), '--resume', '--refine', '0.01'])).toEqual({
    file: 'a.json',
    resume: true,
    refine: 0.01,
    compact: false,
    ...{ run: 'r', out: 'o', updates: 5, minutes: 0.5, batch: 2, backend: 'onnx', threads: 1 },
    ...{ images: 'i', name: 'mine' },
  });
  expect(readOptions(['a.json', '--from', 'checkpoints/x', '--encoder', 'y'])).toEqual({
    file: 'a.json',
    resume: false,
    compact: false,
    from: 'checkpoints/x',
    encoder: 'y',
    backend: 'auto',
  });
  for (const [, option] of helpText(COMMAND).matchAll(/^ {2}(--[a-z]+)/gm)) {
    expect(`${args} --resume --refine --compact --from --encoder`).toContain(option);
  }
});

// What every command refuses is tested in settings/command.test.ts.
test.each([
  [[], 'Name one configuration'],
  [['a.json', '--updates', '0'], '--updates'],
  [['a.json', '--batch=-2'], '--batch'],
  [['a.json', '--backend', 'abacus'], COMPUTE_NAMES.join(', ')],
  [['a.json', '--resume', '--from', 'x'], '--from'],
  [['a.json', '--encoder', 'x'], '--encoder'],
  [['a.json', '--refine', '0.01'], '--resume'],
  [['a.json', '--resume', '--refine', '-1'], '--refine'],
])('%j is refused', (args, text) => {
  expect(() => readOptions(args)).toThrow(
    expect.objectContaining({ reason: 'bad-option', message: expect.stringContaining(text) }),
  );
});
