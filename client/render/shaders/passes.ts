/** The passes that run at the grid's own resolution: blending ticks, blurring, masking what is selected. */

/** One triangle that covers all; no buffers needed. */
export const COVER_VERTEX = `#version 300 es
void main() {
  vec2 p = vec2(float((gl_VertexID << 1) & 2), float(gl_VertexID & 2));
  gl_Position = vec4(p * 2.0 - 1.0, 0.0, 1.0);
}`;

/** Goes part of the way from what was last shown to the newest tick. */
export const BLEND_FRAGMENT = `#version 300 es
precision highp float;
uniform sampler2D uFrom;
uniform sampler2D uTo;
uniform float uShare;
out vec4 color;
void main() {
  ivec2 p = ivec2(gl_FragCoord.xy);
  color = mix(texelFetch(uFrom, p, 0), texelFetch(uTo, p, 0), uShare);
}`;

/** One axis of a Gaussian; \`uStep\` is the way between taps in the source's texture coordinates. */
export const BLUR_FRAGMENT = `#version 300 es
precision highp float;
uniform sampler2D uSource;
uniform vec2 uSize;
uniform vec2 uStep;
uniform float uSigma;
out vec4 color;
void main() {
  vec2 at = gl_FragCoord.xy / uSize;
  vec4 sum = vec4(0.0);
  float weight = 0.0;
  for (int i = -5; i <= 5; i++) {
    float w = exp(-float(i * i) / (2.0 * uSigma * uSigma));
    sum += w * texture(uSource, at + float(i) * uStep);
    weight += w;
  }
  color = sum / weight;
}`;

/** Red where the selected organism is, green where the hovered one, blue where the one to cross with. */
export const MASK_FRAGMENT = `#version 300 es
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
