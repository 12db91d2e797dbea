/** Shader passes between the scene and the screen, for the flash guard. */

/** Per zone: relative luminance, and amount of saturated red. The first row is the top one. */
export const LEVELS_FRAGMENT = `#version 300 es
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

/** Moves each zone by its share from the shown picture to the new one. */
export const SOFTEN_FRAGMENT = `#version 300 es
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
