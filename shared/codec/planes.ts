/** What viewers see of a room: a colour and an owner for each place of the cell grid. */
export interface Planes {
  /** Cells. */
  readonly width: number;
  /** Cells. */
  readonly height: number;
  /** [height, width, 4] premultiplied RGBA, 0…255; bare places are 0. */
  readonly rgba: Uint8Array;
  /** [height, width] organism ids, 0 = bare. */
  readonly owner: Uint32Array;
}

/** Planes of a bare room. */
export function createPlanes(width: number, height: number): Planes {
  return {
    width,
    height,
    rgba: new Uint8Array(width * height * 4),
    owner: new Uint32Array(width * height),
  };
}
