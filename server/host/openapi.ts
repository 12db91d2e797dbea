/** Makes the OpenAPI document of the host's API from the schemas of its calls. */
import { type ConversionConfig, toJsonSchema } from '@valibot/to-json-schema';
import { API, CALLS, FILES, LOGIN_CALLS } from '../../shared/host/api.ts';
import { roleOf } from '../../shared/host/roles.ts';
import { refusal } from '../../shared/host/state.ts';

type Schema = Parameters<typeof toJsonSchema>[0];

/** What JSON Schema cannot express is left out, such as a list without duplicates. */
const INPUT: ConversionConfig = { typeMode: 'input', errorMode: 'ignore' };

const content = (schema: Schema) => {
  const { $schema: _, ...json } = toJsonSchema(schema, INPUT);
  return { 'application/json': { schema: json } };
};

/** Splits a name into words: 'removeRoom' → 'Remove room'. */
const words = (name: string): string =>
  name
    .replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`)
    .replace(/^./, (letter) => letter.toUpperCase());

function operation(name: string, id: string, path: string) {
  const parameters = [...path.matchAll(/:(\w+)/g)].map(([, part]) => {
    return { name: part, in: 'path', required: true, schema: { type: 'string' } };
  });
  const role = roleOf(name);
  return {
    operationId: id,
    summary: words(name),
    description: `For tokens with the role ${role}${role === 'host' ? '' : ' or a higher one'}.`,
    'x-role': role,
    ...(parameters.length > 0 && { parameters }),
  };
}

/** Creates the document. @param version the server's version */
export function openApi(version: string) {
  const paths: Record<string, Record<string, unknown>> = {};
  const add = (path: string, method: string, value: unknown): void => {
    const at = path.replace(/:(\w+)/g, '{$1}');
    paths[at] = { ...paths[at], [method.toLowerCase()]: value };
  };
  const refused = { $ref: '#/components/responses/Refused' };
  for (const [name, { method, path, body, answer }] of Object.entries(CALLS)) {
    if (LOGIN_CALLS.includes(name)) continue;
    add(path, method, {
      ...operation(name, name, path),
      ...(method !== 'GET' && { requestBody: { required: true, content: content(body) } }),
      responses: { 200: { description: 'Done.', content: content(answer) }, default: refused },
    });
  }
  for (const [name, path] of Object.entries(FILES)) {
    add(path, 'GET', {
      ...operation(name, `${name}File`, path),
      responses: { 200: { description: 'The file.' }, default: refused },
    });
  }
  const description = 'Changed nothing. `reason` is one of a closed set.';
  return {
    openapi: '3.1.0',
    info: { title: 'Vivarium', version },
    servers: [{ url: API }],
    security: [{ token: [] }],
    paths,
    components: {
      securitySchemes: { token: { type: 'http', scheme: 'bearer' } },
      responses: { Refused: { description, content: content(refusal) } },
    },
  };
}
