import type { NameFilter } from '../contracts/configuration.ts'

/** Whether a thing that goes by these names is included and not excluded. */
export function passes(filter: NameFilter, names: readonly string[]): boolean {
  const matches = (pattern: string) => names.some((name) => matchesPattern(pattern, name))
  return filter.include.some(matches) && !filter.exclude.some(matches)
}

/** `*` stands for any characters, none included; everything else for itself. Takes time linear in both lengths' product. */
export function matchesPattern(pattern: string, name: string): boolean {
  if (pattern === '*') return true
  const [first = '', ...rest] = pattern.split('*')
  if (rest.length === 0) return name === first
  const last = rest.pop()!
  if (!name.startsWith(first)) return false
  let from = first.length
  for (const part of rest) {
    const at = name.indexOf(part, from)
    if (at < 0) return false
    from = at + part.length
  }
  return name.length - last.length >= from && name.endsWith(last)
}
