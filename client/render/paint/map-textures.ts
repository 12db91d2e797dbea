/** Holds maps of organisms' genomes on the GPU; see `knownPlace` in `shaders/paint.ts`. */
import type { Rect } from '../../../shared/geometry.ts';
import type { PlacedMap } from '../../../shared/painter/genome-map.ts';
import { MAP_SIDE } from '../../../shared/painter/net.ts';
import { createTexture } from '../gl.ts';
import { MAP_COLUMNS, MAPS, PROBES } from '../shaders/paint.ts';

export class MapTextures {
  /** By sampler name. */
  readonly textures: Readonly<Record<'uMaps' | 'uTable', WebGLTexture>>;
  /** [MAPS, 4] The organism's id, 0: none; x and y of its first cell. */
  private readonly table = new Int32Array(4 * MAPS);

  /** @param channels numbers of a map for each place */
  constructor(
    private readonly gl: WebGL2RenderingContext,
    private readonly channels: number,
  ) {
    const width = (MAP_COLUMNS * MAP_SIDE * channels) / 4;
    const height = (MAPS / MAP_COLUMNS) * MAP_SIDE;
    const [filter, table] = [gl.NEAREST, { width: MAPS, height: 1 }];
    this.textures = {
      uMaps: createTexture(gl, { width, height, format: gl.RGBA16F, filter }),
      uTable: createTexture(gl, { ...table, format: gl.RGBA32I, filter }),
    };
    this.upload();
  }

  /**
   * Sets or removes the map of an organism. If there is no slot for it, it goes without a map.
   *
   * @returns the area that looks different now
   */
  set(id: number, map: PlacedMap | undefined): Rect | undefined {
    const { gl, table, channels } = this;
    const slots = Array.from({ length: PROBES }, (_, n) => (id + n) % MAPS);
    const slot = [id | 0, 0]
      .map((held) => slots.find((one) => table[4 * one] === held))
      .find((found) => found !== undefined);
    if (slot === undefined || map?.side === 0) return undefined;
    const [was, x, y] = table.subarray(4 * slot);
    if (map) {
      const [column, row] = [slot % MAP_COLUMNS, Math.floor(slot / MAP_COLUMNS)];
      const width = (MAP_SIDE * channels) / 4;
      const at = [column * width, row * MAP_SIDE, width, MAP_SIDE] as const;
      gl.bindTexture(gl.TEXTURE_2D, this.textures.uMaps);
      gl.texSubImage2D(gl.TEXTURE_2D, 0, ...at, gl.RGBA, gl.FLOAT, map.values);
      table.set([id, map.x, map.y, 0], 4 * slot);
    } else if (was !== 0) table.fill(0, 4 * slot, 4 * slot + 4);
    this.upload();
    const corner = map ?? { x, y };
    return { x: corner.x, y: corner.y, width: MAP_SIDE, height: MAP_SIDE };
  }

  dispose(): void {
    for (const texture of Object.values(this.textures)) this.gl.deleteTexture(texture);
  }

  private upload(): void {
    const { gl, table } = this;
    gl.bindTexture(gl.TEXTURE_2D, this.textures.uTable);
    gl.texSubImage2D(gl.TEXTURE_2D, 0, 0, 0, MAPS, 1, gl.RGBA_INTEGER, gl.INT, table);
  }
}
