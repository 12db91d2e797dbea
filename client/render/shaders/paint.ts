/**
 * Shaders that run a painter. The layers of the painter compute colour gradients for each cell.
 * From the gradients, the last pass draws the pixels of the cell into an atlas (a texture).
 */

import { INPUTS, MAP_SIDE } from '../../../shared/painter/net.ts';
import { COVER_VERTEX } from './passes.ts';
import { fromRows, SCENE_FRAGMENT } from './scene.ts';

/** Width and height of a chunk, in cells. */
export const CHUNK = 16;
/** Maximum number of chunks that are painted together, as a batch. */
export const BATCH = 64;

/** Vertex shader that draws one rectangle per chunk of a batch. */
const CHUNK_VERTEX = `#version 300 es
precision highp int;
/* Upper left corner of each chunk. xy: in the target, in pixels. zw: in the room, in cells. */
uniform ivec4 uPlaces[${BATCH}];
uniform ivec2 uArea;
uniform vec2 uTarget;
flat out ivec4 vPlace;
flat out int vIndex;
void main() {
  vPlace = uPlaces[gl_InstanceID];
  vIndex = gl_InstanceID;
  ivec2 corner = ivec2(gl_VertexID & 1, gl_VertexID >> 1);
  gl_Position = vec4(vec2(vPlace.xy + corner * uArea) / uTarget * 2.0 - 1.0, 0.0, 1.0);
}`;

const HEAD = `#version 300 es
precision highp float;
precision highp int;
precision highp sampler2D;
precision highp usampler2D;
uniform sampler2D uWeights;
uniform usampler2D uOwner;
flat in ivec4 vPlace;
flat in int vIndex;
`;

/** Maximum number of organisms whose genome maps the GPU holds. */
export const MAPS = 256;
/**
 * Number of slots in which an organism's genome map can be stored. They follow each other, and the
 * first slot's number is the organism's id modulo `MAPS`.
 */
export const PROBES = 4;
/**
 * Number of genome maps side by side in their texture. Limited because some GPUs support only
 * textures up to 2,048 texels wide.
 */
export const MAP_COLUMNS = 16;

/**
 * Returns GLSL source of the function `mapAt`, which finds a cell in the organism's genome map.
 *
 * @param texels number of texels per cell in a map; 0 if the painter has not learned genomes
 */
const findMap = (texels: number): string =>
  texels === 0
    ? 'ivec2 mapAt(ivec2 p) { return ivec2(-1); }'
    : `precision highp isampler2D;
uniform sampler2D uMaps;
uniform isampler2D uTable;
/*
 * Returns the position of the first texel of cell p in uMaps. If the genome of the cell is unknown,
 * x is -1.
 */
ivec2 mapAt(ivec2 p) {
  uint own = texelFetch(uOwner, p, 0).r;
  for (int n = 0; n < ${PROBES} && own != 0u; n++) {
    int slot = int((own + uint(n)) % ${MAPS}u);
    ivec4 entry = texelFetch(uTable, ivec2(slot, 0), 0);
    ivec2 place = p - entry.yz;
    if (uint(entry.x) != own || (place.x | place.y) < 0 || max(place.x, place.y) >= ${MAP_SIDE}) continue;
    place = (place + ${MAP_SIDE} * ivec2(slot % ${MAP_COLUMNS}, slot / ${MAP_COLUMNS})) * ivec2(${texels}, 1);
    return texelFetch(uMaps, place, 0).r == 0.0 ? ivec2(-1) : place;
  }
  return ivec2(-1);
}`;

/**
 * Returns GLSL source that multiplies the values of a cell's genome map by their weights, and adds
 * the results to four units of the first layer.
 */
const addMap = (texels: number): string =>
  texels === 0
    ? ''
    : `for (int k = 0; k < ${texels} && known.x >= 0; k++) {
    vec4 m = texelFetch(uMaps, known + ivec2(k, 0), 0);
    units += m.r * texelFetch(uWeights, ivec2(${INPUTS} + 4 * k, row), 0)
      + m.g * texelFetch(uWeights, ivec2(${INPUTS + 1} + 4 * k, row), 0)
      + m.b * texelFetch(uWeights, ivec2(${INPUTS + 2} + 4 * k, row), 0)
      + m.a * texelFetch(uWeights, ivec2(${INPUTS + 3} + 4 * k, row), 0);
  }`;

/**
 * Computes four units of the first hidden layer for each cell of a chunk. In the target texture,
 * each group of four units fills an area as wide as a chunk. The areas are side by side.
 *
 * @param channels number of values per cell in a map; 0 if the painter has not learned genomes
 */
const firstFragment = (channels: number): string => `${HEAD}
uniform sampler2D uCells;
out vec4 units;
${findMap(channels / 4)}
void main() {
  ivec2 q = ivec2(gl_FragCoord.xy) - vPlace.xy;
  int group = q.x / ${CHUNK};
  ivec2 p = vPlace.zw + ivec2(q.x - group * ${CHUNK}, q.y);
  ivec2 grid = textureSize(uCells, 0);
  /* The last chunks of a row or column may extend beyond the room. */
  if (any(greaterThanEqual(p, grid))) { units = vec4(-1.0); return; }
  uint own = texelFetch(uOwner, p, 0).r;
  ivec2 known = mapAt(p);
  int row = known.x < 0 ? group : group + textureSize(uWeights, 0).y / 2;
  units = texelFetch(uWeights, ivec2(known.x < 0 ? ${INPUTS} : ${INPUTS + channels}, row), 0);
  bool isSeen = false;
  for (int n = 0; n < 25; n++) {
    ivec2 c = p + ivec2(n % 5, n / 5) - 2;
    if (any(lessThan(c, ivec2(0))) || any(greaterThanEqual(c, grid))) continue;
    vec4 cell = texelFetch(uCells, c, 0);
    isSeen = isSeen || cell != vec4(0.0);
    units += cell.r * texelFetch(uWeights, ivec2(5 * n, row), 0)
      + cell.g * texelFetch(uWeights, ivec2(5 * n + 1, row), 0)
      + cell.b * texelFetch(uWeights, ivec2(5 * n + 2, row), 0)
      + cell.a * texelFetch(uWeights, ivec2(5 * n + 3, row), 0);
    if (own != 0u && texelFetch(uOwner, c, 0).r == own) units += texelFetch(uWeights, ivec2(5 * n + 4, row), 0);
  }
  ${addMap(channels / 4)}
  units = isSeen ? max(units, 0.0) : vec4(-1.0);
}`;

/**
 * Computes four outputs of a layer after the first, for each position of a chunk. A negative input
 * means that the position has no living cells nearby.
 */
const laterFragment = (channels: number): string => `${HEAD}
uniform sampler2D uHidden;
uniform int uGroups;
/*
 * Result for a position that has no living cells nearby: -1 in hidden layers, so that later layers
 * skip the position; 0 in the last layer.
 */
uniform float uEmpty;
out vec4 units;
${findMap(channels / 4)}
void main() {
  ivec2 q = ivec2(gl_FragCoord.xy) - vPlace.xy;
  int group = q.x / ${CHUNK};
  ivec2 at = ivec2(q.x - group * ${CHUNK}, q.y + vIndex * ${CHUNK});
  bool isKnown = mapAt(vPlace.zw + ivec2(q.x - group * ${CHUNK}, q.y)).x >= 0;
  int row = isKnown ? group + textureSize(uWeights, 0).y / 2 : group;
  units = texelFetch(uWeights, ivec2(4 * uGroups, row), 0);
  for (int g = 0; g < uGroups; g++) {
    vec4 h = texelFetch(uHidden, at + ivec2(g * ${CHUNK}, 0), 0);
    if (h.r < 0.0) { units = vec4(uEmpty); return; }
    units += h.r * texelFetch(uWeights, ivec2(4 * g, row), 0)
      + h.g * texelFetch(uWeights, ivec2(4 * g + 1, row), 0)
      + h.b * texelFetch(uWeights, ivec2(4 * g + 2, row), 0)
      + h.a * texelFetch(uWeights, ivec2(4 * g + 3, row), 0);
  }
  if (uEmpty < 0.0) units = max(units, 0.0);
}`;

/**
 * Computes one pixel of the atlas (premultiplied colour) from the cells around the pixel and from
 * the colour gradients of the pixel's own cell. See `shared/painter/paint.ts`.
 */
const PIXEL_FRAGMENT = `#version 300 es
precision highp float;
precision highp int;
precision highp sampler2D;
uniform sampler2D uCells;
uniform sampler2D uHidden;
uniform int uGroups;
uniform int uScale;
flat in ivec4 vPlace;
flat in int vIndex;
out vec4 color;
vec4 at(ivec2 c) {
  ivec2 grid = textureSize(uCells, 0);
  return any(lessThan(c, ivec2(0))) || any(greaterThanEqual(c, grid)) ? vec4(0.0) : texelFetch(uCells, c, 0);
}
void main() {
  ivec2 q = ivec2(gl_FragCoord.xy) - vPlace.xy;
  ivec2 cell = q / uScale;
  vec2 p = (vec2(q - cell * uScale) + 0.5) / float(uScale) - 0.5;
  vec2 left = vec2(lessThan(p, vec2(0.0)));
  ivec2 c = vPlace.zw + cell - 1 - ivec2(left);
  vec2 f = p + left;
  vec2 w[4] = vec2[4](f * (-0.5 + f * (1.0 - 0.5 * f)), 1.0 + f * f * (-2.5 + 1.5 * f),
                      f * (0.5 + f * (2.0 - 1.5 * f)), f * f * (-0.5 + 0.5 * f));
  color = vec4(0.0);
  for (int j = 0; j < 4; j++) {
    for (int i = 0; i < 4; i++) color += w[i].x * w[j].y * at(c + ivec2(i, j));
  }
  vec4 place = vec4(p, dot(p, p), 1.0);
  ivec2 from = cell + ivec2(0, vIndex * ${CHUNK});
  for (int g = 0; g < uGroups; g += 2) {
    float height = clamp(dot(texelFetch(uHidden, from + ivec2(g * ${CHUNK}, 0), 0), place), -0.5, 0.5);
    color += height * texelFetch(uHidden, from + ivec2((g + 1) * ${CHUNK}, 0), 0);
  }
  color.a = clamp(color.a, 0.0, 1.0);
  color.rgb = clamp(color.rgb, vec3(0.0), vec3(color.a));
}`;

/** Two lines of the scene's shader. Code for paint is inserted after each of them. */
const DECLARED = `out vec4 color;`;
const DECIDED = `float alpha = mix(body, a, 0.16);`;
/** The line of the scene's shader that computes how clearly single cells are drawn. */
const CLOSE = `float close = smoothstep(2.6, 8.4, ppc);`;

/** Draws the scene with paint instead of smoothed cells, except where two organisms touch. */
const PAINTED_FRAGMENT = SCENE_FRAGMENT.replace(
  DECLARED,
  `${DECLARED}
uniform sampler2D uAtlas;
uniform sampler2D uShares;
uniform vec2 uAtlasCells;
uniform float uPaint;`,
)
  .replace(
    DECIDED,
    fromRows(`${DECIDED}
  ivec2 chunk = ivec2(clamp(p, vec2(0.0), uGrid - 1.0)) / ${CHUNK};
  float painted = uPaint * texelFetch(uShares, chunk, 0).r;
  if (painted > 0.0) {
    /* The texture repeats at its edges, so clamp the position to the room. */
    vec4 paint = textureLod(uAtlas, clamp(p, vec2(0.125), uGrid - 0.125) / uAtlasCells, 0.0);
    float here = painted * (1.0 - max(parted, border_.line));
    vec3 tone = clamp(paint.rgb / max(paint.a, 0.02), 0.0, 1.0);
    /*
     * Small differences between paint and smoothed cells are only the pattern of single cells, so
     * weaken the paint there. Large differences are edges, so show the paint fully there.
     */
    c = mix(c, tone, here * (0.35 + 0.65 * smoothstep(0.03, 0.14, distance(c, tone))));
    /* Hide paint where the smoothed cells are almost transparent. */
    alpha = mix(alpha, paint.a * smoothstep(0.14, 0.42, a), here);
  }`),
  )
  .replace(CLOSE, `${CLOSE} close *= 1.0 - 0.25 * painted;`);

/**
 * Returns the vertex and fragment shaders that run a painter, by the name of the program.
 *
 * @param channels number of values per cell in a map; 0 if the painter has not learned genomes
 */
export const paintSources = (channels: number) =>
  ({
    pixel: [CHUNK_VERTEX, PIXEL_FRAGMENT],
    scene: [COVER_VERTEX, PAINTED_FRAGMENT],
    first: [CHUNK_VERTEX, firstFragment(channels)],
    later: [CHUNK_VERTEX, laterFragment(channels)],
  }) as const;
