/** Thin helpers over WebGL2. */
import { COVER_VERTEX, PASSES } from './shaders/passes.ts';
import { SCENE_FRAGMENT } from './shaders/scene.ts';

/** Thrown if WebGL2 is missing, or rejects a program or a texture. */
export class GlError extends Error {
  override readonly name = 'GlError';
}

/** A linked program. */
export type Program = ReturnType<typeof withUniforms>;

/** Begins to compile and link a program, without waiting for it. */
function begin(gl: WebGL2RenderingContext, vertex: string, fragment: string): WebGLProgram {
  const program = gl.createProgram();
  for (const source of [vertex, fragment]) {
    const shader = gl.createShader(source === vertex ? gl.VERTEX_SHADER : gl.FRAGMENT_SHADER);
    if (!shader) throw new GlError('context lost');
    gl.shaderSource(shader, source);
    gl.compileShader(shader);
    gl.attachShader(program, shader);
    // The shader stays alive as long as its program.
    gl.deleteShader(shader);
  }
  gl.linkProgram(program);
  return program;
}

/**
 * Compiles and links programs. Starts all before waiting for any, so that browsers compile them in
 * parallel.
 *
 * @param sources vertex and fragment shader of each program
 * @throws GlError with the compiler's message
 */
export function createPrograms<Name extends string>(
  gl: WebGL2RenderingContext,
  sources: Readonly<Record<Name, readonly [vertex: string, fragment: string]>>,
): Record<Name, Program> {
  const begun = Object.entries<readonly [string, string]>(sources).map(
    ([name, [vertex, fragment]]) => [name, begin(gl, vertex, fragment)] as const,
  );
  const programs = begun.map(([name, program]) => {
    if (!gl.getProgramParameter(program, gl.LINK_STATUS) && !gl.isContextLost()) {
      const logs = gl.getAttachedShaders(program)?.map((shader) => gl.getShaderInfoLog(shader));
      throw new GlError(`${logs} ${gl.getProgramInfoLog(program)}`);
    }
    return [name, withUniforms(gl, program)];
  });
  return Object.fromEntries(programs);
}

function withUniforms(gl: WebGL2RenderingContext, program: WebGLProgram) {
  const locations = new Map<string, WebGLUniformLocation | null>();
  return {
    program,
    /** Samplers that have their texture unit, in the order of the units. */
    samplers: [] as string[],
    /** Returns a uniform's location; null if the compiler removed it, so that writes are ignored. */
    uniform(name: string): WebGLUniformLocation | null {
      let location = locations.get(name);
      if (location === undefined) {
        location = gl.getUniformLocation(program, name);
        locations.set(name, location);
      }
      return location;
    },
  };
}

export interface Surface {
  readonly width: number;
  readonly height: number;
  /** Default: RGBA8. */
  readonly format?: GLenum;
  /** Default: LINEAR. */
  readonly filter?: GLenum;
}

export function createTexture(
  gl: WebGL2RenderingContext,
  { width, height, format = gl.RGBA8, filter = gl.LINEAR }: Surface,
): WebGLTexture {
  const texture = gl.createTexture();
  gl.bindTexture(gl.TEXTURE_2D, texture);
  gl.texStorage2D(gl.TEXTURE_2D, 1, format, width, height);
  gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_MIN_FILTER, filter);
  gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_MAG_FILTER, filter);
  gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_WRAP_S, gl.CLAMP_TO_EDGE);
  gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_WRAP_T, gl.CLAMP_TO_EDGE);
  return texture;
}

/** A texture that can be rendered to. */
export type Target = ReturnType<typeof createTarget>;

export function createTarget(gl: WebGL2RenderingContext, surface: Surface) {
  const texture = createTexture(gl, surface);
  const framebuffer = gl.createFramebuffer();
  gl.bindFramebuffer(gl.FRAMEBUFFER, framebuffer);
  gl.framebufferTexture2D(gl.FRAMEBUFFER, gl.COLOR_ATTACHMENT0, gl.TEXTURE_2D, texture, 0);
  // Do not clear integer targets, because `clear` works only for float formats. A new integer
  // target contains zeros until the first draw.
  if (surface.format !== gl.RG32UI) {
    gl.clearColor(0, 0, 0, 0);
    gl.clear(gl.COLOR_BUFFER_BIT);
  }
  return { texture, framebuffer, width: surface.width, height: surface.height };
}

export function deleteTarget(gl: WebGL2RenderingContext, { texture, framebuffer }: Target): void {
  gl.deleteFramebuffer(framebuffer);
  gl.deleteTexture(texture);
}

/**
 * Binds each texture to the sampler with its name, in the program in use. A sampler keeps its unit,
 * because setting uniforms takes time.
 */
export function bindTextures(
  gl: WebGL2RenderingContext,
  program: Program,
  textures: Readonly<Record<string, WebGLTexture>>,
): void {
  let unit = 0;
  for (const name in textures) {
    gl.activeTexture(gl.TEXTURE0 + unit);
    gl.bindTexture(gl.TEXTURE_2D, textures[name]);
    if (program.samplers[unit] !== name) gl.uniform1i(program.uniform(name), unit);
    program.samplers[unit++] = name;
  }
}

/**
 * Begins a pass over a whole target. The caller then sets the program's other uniforms and draws
 * one triangle.
 *
 * @param target a null framebuffer is the screen
 */
export function beginPass(
  gl: WebGL2RenderingContext,
  program: Program,
  target: Omit<Target, 'texture' | 'framebuffer'> & { framebuffer: WebGLFramebuffer | null },
  textures: Readonly<Record<string, WebGLTexture>>,
): void {
  gl.bindFramebuffer(gl.FRAMEBUFFER, target.framebuffer);
  gl.viewport(0, 0, target.width, target.height);
  gl.useProgram(program.program);
  bindTextures(gl, program, textures);
}

const SOURCES = { ...PASSES, scene: [COVER_VERTEX, SCENE_FRAGMENT] } as const;

export type Programs = Readonly<Record<keyof typeof SOURCES, Program>>;

/** @throws GlError with the compiler's message */
export const createAllPrograms = (gl: WebGL2RenderingContext): Programs =>
  createPrograms(gl, SOURCES);
