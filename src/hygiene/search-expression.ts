/**
 * A regular expression in which space is never given back: a long run of it between parts that may lack would else be divided among them in
 * every way, and whoever writes a source could make the search of it last for hours.
 */
export function searchExpression(source: string, flags: string): RegExp {
  return new RegExp(source.replaceAll(/\\s[*+]/g, '$&(?!\\s)'), flags)
}
