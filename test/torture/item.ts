/** A webhook of Refiner on its way to Segment, or a message of Segment on its way to Refiner. */
export type Way = 'webhook' | 'message'

/** One thing that is sent in: the number `n` of a user, each of whom sends one after the other. */
export interface Item {
  readonly tenant: string
  readonly way: Way
  readonly user: string
  readonly n: number
}

/** The item's name, which what is made of it carries along. */
export function nameOf({ tenant, way, user, n }: Item): string {
  return `${tenant}/${way}/${user}/${n}`
}

/** The item of a name; of one that is none, one that was never sent. */
export function itemOf(name: string): Item {
  const [tenant = '', way = '', user = '', n = ''] = name.split('/')
  return { tenant, way: way as Way, user, n: n === '' ? NaN : Number(n) }
}
