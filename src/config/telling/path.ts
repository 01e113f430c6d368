/** Where a value stands in the file: keys, and indices of lists as text. */
export type Path = readonly string[]

/** The path as TypeBox writes it in its errors (RFC 6901). */
export function pointerOf(path: Path): string {
  return path.map((step) => `/${step.replaceAll('~', '~0').replaceAll('/', '~1')}`).join('')
}

/** The path as people write it: tenants.acme.segment.destination_keys[0]. */
export function dotted(path: Path): string {
  return path.reduce((name, step) => {
    if (/^[0-9]+$/.test(step) && name !== '') return `${name}[${step}]`
    return name === '' ? step : `${name}.${step}`
  }, '')
}
