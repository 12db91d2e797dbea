/** Small helper functions for WebGL2. */
import { COVER_VERTEX, PASSES } from './shaders/passes.ts';
import { SCENE_FRAGMENT } from './shaders/scene.ts';

/**
 * Thrown if the browser does not support WebGL2, or if a program or texture could not be created.
 */
export class GlError extends Error {
  override readonly name = 'GlError';
}

export type Program = ReturnType<typeof withUniforms>;

/** Starts compiling and linking a program. Does not wait for the result. */
function begin(gl: WebGL2RenderingContext, vertex: string, fragment: string): WebGLProgram {
  const program = gl.createProgram();
  for (const source of [vertex, fragment]) {
    const shader = gl.createShader(source === vertex ? gl.VERTEX_SHADER : gl.FRAGMENT_SHADER);
    if (!shader) throw new GlError('context lost');
    gl.shaderSource(shader, source);
    gl.compileShader(shader);
    gl.attachShader(program, shader);
    // WebGL deletes the shader later, together with its program.
    gl.deleteShader(shader);
  }
  gl.linkProgram(program);
  return program;
}

/**
 * Compiles and links programs. Browsers can compile the programs in parallel.
 *
 * @param sources source texts of the vertex shader and the fragment shader, by program name
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
    /** Name of the sampler that was last connected to each texture unit in this program. */
    samplers: [] as string[],
    /** Returns the location of a uniform; null if the shaders do not use the uniform. */
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
  readonly format?: GLenum;
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

export type Target = ReturnType<typeof createTarget>;

export function createTarget(gl: WebGL2RenderingContext, surface: Surface) {
  const texture = createTexture(gl, surface);
  const framebuffer = gl.createFramebuffer();
  gl.bindFramebuffer(gl.FRAMEBUFFER, framebuffer);
  gl.framebufferTexture2D(gl.FRAMEBUFFER, gl.COLOR_ATTACHMENT0, gl.TEXTURE_2D, texture, 0);
  // `clear` fails with integer formats. New textures contain zeros anyway.
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

/** Binds textures to the samplers of the program in use, by sampler name. */
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
 * Begins a render pass over the whole target. To finish the pass, the caller sets the uniforms of
 * the program and draws one triangle.
 *
 * @param target where to render; the screen if its framebuffer is null
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
