import type { Configuration, Tenant } from '../contracts/configuration.ts'
import type { OnlineParts, Probed } from './probe.ts'
import { probePublicUrl } from './public-url.ts'
import { probeRefiner } from './refiner.ts'
import { probeSegment } from './segment.ts'

const APART_MS = 5 * 60_000
/** So many tenants are tried at once. */
const AT_ONCE = 4

/** Tries all that a configuration names; told in the order of the file. Never rejects. */
export async function probeAll(
  { tenants }: Pick<Configuration, 'tenants'>,
  publicUrl: string | null,
  parts: OnlineParts,
): Promise<Probed[]> {
  const all = [...tenants.values()].filter(({ enabled }) => enabled)
  const results: Probed[][] = []
  for (let at = 0; at < all.length; at += AT_ONCE) {
    results.push(
      ...(await Promise.all(all.slice(at, at + AT_ONCE).map((tenant) => probeTenant(tenant, parts)))),
    )
  }
  return [...results.flat(), await probePublicUrl(publicUrl, parts)]
}

async function probeTenant(tenant: Tenant, parts: OnlineParts): Promise<Probed[]> {
  const sides = await Promise.all([
    ...(tenant.refiner.apiKey === '' ? [] : [probeRefiner(tenant, parts)]),
    ...(tenant.segment.writeKey === '' ? [] : [probeSegment(tenant, parts)]),
  ])
  const clocks = sides.map(({ clockAheadMs }) => clockAheadMs).filter((ahead) => ahead !== null)
  return [...sides.flatMap(({ probed }) => probed), ...judgeClocks(tenant.name, clocks)]
}

/** Where one clock agrees with this machine's and the other one does not, it is not this machine's that is wrong. */
function judgeClocks(tenant: string, ahead: readonly number[]): Probed[] {
  const [most] = ahead.toSorted((a, b) => Math.abs(b) - Math.abs(a))
  if (most === undefined) return []
  const probed = { tenant, what: 'clock' } as const
  if (Math.abs(most) <= APART_MS) {
    return [{ ...probed, status: 'ok', said: "this machine's clock agrees with theirs", advice: null }]
  }
  const agrees = ahead.some((one) => Math.abs(one) <= APART_MS)
  const minutes = Math.round(Math.abs(most) / 60_000)
  const way = most > 0 ? 'ahead' : 'behind'
  const said = `this machine's clock is ${minutes} minutes ${way}, by the Date header of an answer`
  if (agrees) {
    const advice = 'see what answers there: a proxy in between may have a wrong clock, or keep answers'
    return [{ ...probed, status: 'unknown', said: `${said}; by that of the other side it is right`, advice }]
  }
  return [
    { ...probed, status: 'failed', said, advice: 'set it, and keep it right: `timedatectl set-ntp true`' },
  ]
}
