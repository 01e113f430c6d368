/** As many names are remembered; accounts have hundreds, and nobody must fill the memory with new ones. */
const MOST_NAMES = 20_000

const known = new Map<string, Map<string, string>>()
let count = 0

/** The name with the prefix before it. Put together once: the same names come with every response. */
export function prefixedName(prefix: string, name: string): string {
  if (prefix === '') return name
  let names = known.get(prefix)
  if (names === undefined) known.set(prefix, (names = new Map()))
  let whole = names.get(name)
  if (whole === undefined) {
    whole = prefix + name
    if (++count > MOST_NAMES) {
      known.clear()
      count = 0
    } else {
      names.set(name, whole)
    }
  }
  return whole
}
