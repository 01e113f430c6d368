/** What one call of Refiner's identify-user is made of, as JSON text. */
type Body = Readonly<Record<string, unknown>>

/**
 * One body that does what these do one after the other: each trait has its latest value, in the order in which the
 * traits first came; the account is kept. Null where no single body does: they are not about the same user, or about
 * two accounts. There is at least one.
 */
export function mergeIdentifies(payloads: readonly string[]): string | null {
  if (payloads.length === 1) return payloads[0]!
  const bodies = payloads.map((payload) => JSON.parse(payload) as Body)
  const traits = new Map<string, unknown>()
  for (const body of bodies) {
    if (body['id'] !== bodies[0]!['id'] || body['id'] === undefined) return null
    for (const [name, value] of Object.entries(body)) {
      const merged = name === 'account' ? mergeAccounts(traits.get(name), value) : value
      if (merged === null && value !== null) return null
      traits.set(name, merged)
    }
  }
  return JSON.stringify(Object.fromEntries(traits))
}

/** Null for two that are not the same. */
function mergeAccounts(before: unknown, after: unknown): unknown {
  if (before === undefined || before === null) return after
  if (!isObject(before) || !isObject(after) || before['id'] !== after['id']) return null
  return Object.fromEntries(new Map([...Object.entries(before), ...Object.entries(after)]))
}

function isObject(value: unknown): value is Body {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
