import { SEGMENT_ENDPOINTS } from '../config/defaults.ts'
import type { Tenant } from '../contracts/configuration.ts'
import { ask, fault, type OnlineParts, type Probed } from './probe.ts'

/**
 * Whether Segment answers, and what can be known of the write key: little, since it answers 200 to nearly everything, also
 * to the key of another region, whose messages it drops. The batch is empty: nothing arrives.
 */
export async function probeSegment(
  { name: tenant, segment: { writeKey, endpoint } }: Tenant,
  parts: OnlineParts,
): Promise<{ probed: Probed[]; clockAheadMs: number | null }> {
  const asked = await ask(parts, {
    method: 'POST',
    url: `${endpoint}/batch`,
    authorization: `Basic ${Buffer.from(`${writeKey}:`).toString('base64')}`,
    body: '{"batch":[]}',
  })
  const { clockAheadMs } = asked
  const wrong = fault(asked, `tenants.${tenant}.segment.endpoint`)
  if (wrong !== null || !asked.answered) {
    return { probed: [{ tenant, what: 'segment', ...wrong! }], clockAheadMs }
  }
  const { status } = asked
  const answers: Probed = {
    tenant,
    what: 'segment',
    status: 'ok',
    said: `${hostWords(endpoint)} answers`,
    advice: null,
  }
  const key: Omit<Probed, 'status' | 'said' | 'advice'> = { tenant, what: 'segment write key' }
  if (status === 401 || status === 403) {
    const probed: Probed[] = [
      answers,
      {
        ...key,
        status: 'failed',
        said: `Segment refuses the write key (it answered ${status})`,
        advice: `set tenants.${tenant}.segment.write_key to the one under Settings > API Keys of the source in Segment, and segment.region to the workspace's`,
      },
    ]
    return { probed, clockAheadMs }
  }
  const unknown: Probed = {
    ...key,
    status: 'unknown',
    said: 'whether the write key and the region are right cannot be known: Segment answers 200 to any key, and drops what is not its own',
    advice: `see in Segment that the source's debugger shows what is sent; the region is under Workspace settings (here it is ${regionOf(endpoint)})`,
  }
  return { probed: [answers, unknown], clockAheadMs }
}

function regionOf(endpoint: string): string {
  const region = Object.entries(SEGMENT_ENDPOINTS).find(([, known]) => known === endpoint)?.[0]
  return region ?? 'an endpoint of its own'
}

function hostWords(endpoint: string): string {
  const { host, protocol } = new URL(endpoint)
  return protocol === 'https:' ? `${host}, over TLS,` : host
}
