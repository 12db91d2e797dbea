/** Shaders of all passes except the scene. */
import { CURRENT } from '../current.ts';

/** Maximum duration of a cell's transition to its new colour on screen, in ticks. */
export const LONGEST = 6;
/** Duration of a transition that should look immediate, in ms. */
export const AT_ONCE = 80;

/** Draws one triangle that covers the viewport. Needs no vertex buffers. */
export const COVER_VERTEX = `#version 300 es
void main() {
  vec2 p = vec2(float((gl_VertexID << 1) & 2), float(gl_VertexID & 2));
  gl_Position = vec4(p * 2.0 - 1.0, 0.0, 1.0);
}`;

/**
 * Runs when a tick arrives. Computes two times for each cell: when the cell last changed, and when
 * its transition to its new colour ends on screen.
 *
 * A transition takes about as long as the time between the last two changes of the cell.
 * Exceptions: 3.6 ticks if the previous change was more than 6.7 ticks ago; `AT_ONCE` ms if the
 * cell has died; `LONGEST` ticks if the cell is new.
 *
 * Times are 32-bit integers, in ms, that restart at 0 after 49 days. So compare only differences.
 */
const TIMES_FRAGMENT = `#version 300 es
precision highp float;
precision highp int;
precision highp usampler2D;
uniform sampler2D uBefore, uNewest;
uniform usampler2D uTimes;
uniform uint uNow;
uniform float uTick;
out uvec4 times;
void main() {
  ivec2 p = ivec2(gl_FragCoord.xy);
  vec4 before = texelFetch(uBefore, p, 0), newest = texelFetch(uNewest, p, 0);
  times = texelFetch(uTimes, p, 0);
  if (before == newest) return;
  float gap = 1.2 * float(uNow - times.r) / uTick;
  if (gap > 8.0) gap = 3.6;
  if (before.a == 0.0) gap = ${LONGEST}.0;
  uint left = uNow - times.r < times.g - times.r ? times.g - uNow : 0u;
  left = max(left, uint(uTick * clamp(gap, 1.2, ${LONGEST}.0)));
  times.rg = uvec2(uNow, uNow + (newest.a == 0.0 ? ${AT_ONCE}u : left));
}`;

/** Interpolates each cell between the last drawn frame and the newest tick. */
const BLEND_FRAGMENT = `#version 300 es
precision highp float;
precision highp int;
precision highp usampler2D;
uniform sampler2D uFrom, uTo;
uniform usampler2D uTimes;
uniform uint uSince, uNow;
out vec4 color;
void main() {
  ivec2 p = ivec2(gl_FragCoord.xy);
  uvec2 times = texelFetch(uTimes, p, 0).rg;
  bool moves = uNow - times.r < times.g - times.r;
  float share = moves ? float(uNow - uSince) / float(times.g - uSince) : 1.0;
  color = mix(texelFetch(uFrom, p, 0), texelFetch(uTo, p, 0), share);
}`;

/**
 * Gaussian blur along one axis. `uPass` contains the width and height of the target, the axis (0:
 * horizontal, 1: vertical), and the standard deviation in texels.
 */
const BLUR_FRAGMENT = `#version 300 es
precision highp float;
uniform sampler2D uSource;
uniform vec4 uPass;
out vec4 color;
void main() {
  vec2 at = gl_FragCoord.xy / uPass.xy, tap = vec2(1.0 - uPass.z, uPass.z) / uPass.xy;
  vec4 sum = vec4(0.0);
  float weight = 0.0;
  for (int i = -5; i <= 5; i++) {
    float w = exp(-float(i * i) / (2.0 * uPass.w * uPass.w));
    sum += w * texture(uSource, at + float(i) * tap);
    weight += w;
  }
  color = sum / weight;
}`;

/**
 * Assigns each position to the organism with the most cells nearby, even if the position has no
 * cell. So the border between two touching organisms is smooth.
 *
 * Red: id of the organism; 0 if no cell is near. Green: 1 if cells of several organisms are near,
 * otherwise 0.
 */
const TERRITORY_FRAGMENT = `#version 300 es
precision highp float;
precision highp int;
precision highp usampler2D;
uniform usampler2D uOwner;
out uvec4 territory;
uint at(ivec2 p) {
  return texelFetch(uOwner, clamp(p, ivec2(0), textureSize(uOwner, 0) - 1), 0).r;
}
void main() {
  ivec2 p = ivec2(gl_FragCoord.xy);
  uvec4 ids = uvec4(0u);
  vec4 votes = vec4(0.0);
  for (int j = -3; j <= 3; j++) {
    for (int i = -3; i <= 3; i++) {
      uint id = at(p + ivec2(i, j));
      if (id == 0u) continue;
      float vote = exp(-float(i * i + j * j) / 5.2);
      if (ids.x == 0u || ids.x == id) { ids.x = id; votes.x += vote; }
      else if (ids.y == 0u || ids.y == id) { ids.y = id; votes.y += vote; }
      else if (ids.z == 0u || ids.z == id) { ids.z = id; votes.z += vote; }
      else if (ids.w == 0u || ids.w == id) { ids.w = id; votes.w += vote; }
    }
  }
  if (votes.y > votes.x) { ids.x = ids.y; votes.x = votes.y; }
  if (votes.z > votes.x) { ids.x = ids.z; votes.x = votes.z; }
  if (votes.w > votes.x) ids.x = ids.w;
  territory = uvec4(ids.x, ids.y == 0u ? 0u : 1u, 0u, 0u);
}`;

/**
 * Marks the cells of highlighted organisms. Red: the selected organism. Green: the organism under
 * the pointer. Blue: the organism chosen as the second parent of a new seed.
 */
const MASK_FRAGMENT = `#version 300 es
precision highp float;
precision highp usampler2D;
uniform usampler2D uOwner;
uniform uvec3 uIds;
out vec4 color;
void main() {
  uint id = texelFetch(uOwner, ivec2(gl_FragCoord.xy), 0).r;
  vec3 is = vec3(equal(uvec3(id), uIds)) * vec3(notEqual(uIds, uvec3(0u)));
  color = vec4(is, 1.0);
}`;

/**
 * Measures two levels in each zone of the picture: relative luminance (red channel) and saturated
 * red (green channel). The first row of the result is at the top of the picture.
 */
const LEVELS_FRAGMENT = `#version 300 es
precision highp float;
uniform sampler2D uPicture;
uniform vec2 uZones;
out vec4 color;
vec3 linear(vec3 c) {
  return mix(c / 12.92, pow((c + 0.055) / 1.055, vec3(2.4)), step(0.04045, c));
}
void main() {
  vec2 zone = gl_FragCoord.xy - 0.5;
  float luminance = 0.0, red = 0.0;
  for (int j = 0; j < 6; j++) {
    for (int i = 0; i < 6; i++) {
      vec2 at = (zone + (vec2(i, j) + 0.5) / 6.0) / uZones;
      vec3 c = linear(texture(uPicture, vec2(at.x, 1.0 - at.y)).rgb);
      luminance += dot(c, vec3(0.2126, 0.7152, 0.0722));
      float sum = c.r + c.g + c.b;
      red += c.r >= 0.8 * sum && sum > 0.0 ? max(0.0, c.r - c.g - c.b) : 0.0;
    }
  }
  color = vec4(luminance, red, 0.0, 36.0) / 36.0;
}`;

/**
 * Mixes the frame on screen with the new frame. Each zone of the picture has its own share of the
 * new frame: with 1, the zone shows only the new frame.
 */
const SOFTEN_FRAGMENT = `#version 300 es
precision highp float;
uniform sampler2D uBefore, uPicture, uShares;
uniform vec2 uSize;
out vec4 color;
void main() {
  ivec2 p = ivec2(gl_FragCoord.xy);
  vec2 at = gl_FragCoord.xy / uSize;
  float share = texture(uShares, vec2(at.x, 1.0 - at.y)).r;
  color = mix(texelFetch(uBefore, p, 0), texelFetch(uPicture, p, 0), share);
}`;

/**
 * Computes the corners of the rectangles in which light marks are drawn.
 *
 * - `uRows[0]`: width and height of the view, in device pixels; number of columns and rows in the
 *   image of seed previews
 * - `uRows[1]`: x and y of the view's upper left corner, in cells; cells per device pixel; cells
 *   per CSS pixel
 */
const MARKS_VERTEX = `#version 300 es
layout(location = 0) in vec4 aSegment;
layout(location = 1) in vec4 aShape;
layout(location = 2) in vec4 aColor;
uniform vec4 uRows[2];
${CURRENT}
out vec2 vAt;
flat out vec4 vSegment;
flat out vec4 vShape;
flat out vec4 vColor;
void main() {
  vec2 corner = vec2(float(gl_VertexID & 1), float(gl_VertexID >> 1));
  float kind = aShape.w;
  vec2 a = displaced(aSegment.xy);
  vec2 b = kind > 2.5 ? a : displaced(aSegment.zw);
  float pad = aShape.x + (aShape.y + aShape.z + 1.5) * uRows[1].w;
  vAt = mix(min(a, b) - pad, max(a, b) + pad, corner);
  vSegment = vec4(a, kind > 2.5 ? aSegment.zw : b);
  vShape = aShape;
  vColor = aColor;
  vec2 ndc = (vAt - uRows[1].xy) / uRows[1].z / uRows[0].xy * 2.0 - 1.0;
  gl_Position = vec4(ndc.x, -ndc.y, 0.0, 1.0);
}`;

/**
 * Draws light marks. `vShape`: radius in cells, softness and line width in CSS pixels, and kind of
 * the mark (`MARK`).
 */
const MARKS_FRAGMENT = `#version 300 es
precision highp float;
uniform vec4 uRows[2];
uniform sampler2D uSheet;
in vec2 vAt;
flat in vec4 vSegment;
flat in vec4 vShape;
flat in vec4 vColor;
out vec4 color;
float capsule(vec2 p, vec2 a, vec2 b) {
  vec2 ab = b - a;
  float along = clamp(dot(p - a, ab) / max(dot(ab, ab), 1e-6), 0.0, 1.0);
  return length(p - a - ab * along);
}
void main() {
  float kind = vShape.w;
  float strength;
  if (kind < 0.5) {
    float r = clamp(1.0 - capsule(vAt, vSegment.xy, vSegment.zw) / vShape.x, 0.0, 1.0);
    strength = r * r * (0.35 + 0.65 * r);
  } else if (kind < 1.5) {
    float d = (capsule(vAt, vSegment.xy, vSegment.zw) - vShape.x) / uRows[1].w;
    float edge = 0.75 + vShape.y;
    strength = smoothstep(0.5 * vShape.z + edge, max(0.5 * vShape.z - edge, -0.25), abs(d));
  } else if (kind < 2.5) {
    float d = (capsule(vAt, vSegment.xy, vSegment.zw) - vShape.x) / uRows[1].w;
    strength = smoothstep(0.75 + vShape.y, -0.75 - vShape.y, d);
  } else {
    vec2 at = (vAt - vSegment.xy) / (2.0 * vShape.x) + 0.5;
    if (any(lessThan(at, vec2(0.0))) || any(greaterThan(at, vec2(1.0)))) discard;
    vec4 picture = texture(uSheet, (vSegment.zw + clamp(at, 0.016, 0.984)) / uRows[0].zw);
    color = vec4(picture.rgb * picture.a, picture.a) * vColor.a;
    return;
  }
  color = vColor * strength;
}`;

/** Vertex and fragment shaders of each pass, by the name of the pass. */
export const PASSES = {
  marks: [MARKS_VERTEX, MARKS_FRAGMENT],
  levels: [COVER_VERTEX, LEVELS_FRAGMENT],
  soften: [COVER_VERTEX, SOFTEN_FRAGMENT],
  blend: [COVER_VERTEX, BLEND_FRAGMENT],
  blur: [COVER_VERTEX, BLUR_FRAGMENT],
  mask: [COVER_VERTEX, MASK_FRAGMENT],
  territory: [COVER_VERTEX, TERRITORY_FRAGMENT],
  times: [COVER_VERTEX, TIMES_FRAGMENT],
} as const;
