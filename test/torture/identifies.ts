import { type Item, itemOf, nameOf } from './item.ts'

/**
 * The daemon makes at most 50 identifies into one call; with more traits than that, each of them leaves its own one in
 * the call. No more, since the daemon keeps all traits of a user as one text, and writes it anew each time.
 */
const SLOTS = 64
/** Of each 10 messages. */
const IDENTIFIES = 7

/** Whether a message is an identify; the others are tracks. Runs of them differ in length. */
export function isIdentify(item: Item): boolean {
  return Bun.hash.crc32(nameOf(item)) % 10 < IDENTIFIES
}

/** The traits of an identify: one that carries its name, and one that all of them set. */
export function traitsOf(item: Item): Readonly<Record<string, unknown>> {
  return { [slotOf(item)]: nameOf(item), latest: item.n }
}

function slotOf({ n }: Item): string {
  return `slot_${n % SLOTS}`
}

/** The names that a call carries, of one identify or of some that were merged, in the order of their numbers. */
export function namesIn(traits: Readonly<Record<string, unknown>>): string[] {
  return Object.entries(traits)
    .filter(([trait]) => trait !== 'latest')
    .map(([, value]) => String(value))
    .toSorted((a, b) => itemOf(a).n - itemOf(b).n)
}

/** The body of a call to `identify-user`. */
export type IdentifyBody = Readonly<Record<string, unknown>>

/** What the stand-in for Refiner knows of its users: as Refiner does, the latest value of each trait. */
export class RefinerUsers {
  readonly #users = new Map<string, Map<string, unknown>>()
  readonly #wrong: string[] = []
  #merged = 0

  /** How many calls carried more than one identify. */
  get merged(): number {
    return this.#merged
  }

  take(tenant: string | null, { id, ...traits }: IdentifyBody): void {
    const key = `${tenant}/${String(id)}`
    const known = this.#users.get(key) ?? new Map<string, unknown>()
    this.#users.set(key, known)
    const names = namesIn(traits)
    if (names.length > 1) this.#merged += 1
    for (const name of names) {
      const item = itemOf(name)
      if (item.user !== id || traits[slotOf(item)] !== name) {
        this.#wrong.push(`${key} was given the traits of ${name}`)
      }
    }
    const last = names.at(-1)
    if (last === undefined || traits['latest'] !== itemOf(last).n) {
      this.#wrong.push(`${key}: a call that ends with ${last} says ${String(traits['latest'])} is the latest`)
    }
    for (const [trait, value] of Object.entries(traits)) known.set(trait, value)
  }

  /**
   * What is wrong with the traits as they are now, when these identifies must have arrived. A later one may have
   * arrived as well; of those that were given up and replayed (`mayBeLate`) any may be the latest.
   */
  wrong(acknowledged: Iterable<Item>, mayBeLate: (item: Item) => boolean): string[] {
    const last = new Map<string, Item>()
    for (const item of acknowledged) {
      for (const trait of Object.keys(traitsOf(item))) {
        const key = `${item.tenant}/${item.user} ${trait}`
        if (item.n >= (last.get(key)?.n ?? 0)) last.set(key, item)
      }
    }
    const wrong = [...this.#wrong]
    for (const [key, item] of last) {
      const [user, trait] = key.split(' ') as [string, string]
      const value = this.#users.get(user)?.get(trait)
      const n = trait === 'latest' ? Number(value) : itemOf(String(value)).n
      if (n >= item.n || mayBeLate({ ...item, n })) continue
      wrong.push(`${key} is ${String(value)} at the end, and should be that of ${nameOf(item)}`)
    }
    return wrong
  }
}
