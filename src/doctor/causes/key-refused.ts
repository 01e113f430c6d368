import type { Health, TenantHealth } from '../../contracts/health.ts'
import { DESTINATIONS } from '../destinations.ts'
import { type Cause, inEachTenant } from '../finding.ts'

/** A destination says 401 or 403: nothing more is sent to it, or read from it, until the key is mended. */
export const keyRefused: Cause = {
  name: 'key_refused',
  looksAt: 'whether Segment and Refiner take the keys',
  find: inEachTenant((_, { health }, name) =>
    DESTINATIONS.flatMap(({ destination, title, key }) => {
      const refusal = refusalOf(health, name, destination)
      if (refusal === null) return []
      return [
        {
          likelihood: 'certain' as const,
          problem: `${title} refuses the key: ${refusal.what}`,
          evidence: refusal.error === null ? [] : [`${refusal.error.message} (${refusal.error.at})`],
          advice: [
            `set tenants.${name}.${key} to the key of this account, and restart the daemon if it stands in its environment; nothing is lost`,
            destination === 'segment'
              ? 'the key is under Settings > API Keys of the source in Segment; segment.region has to be the one of the workspace'
              : 'the key is under Integrations > Rest API in Refiner; each environment has its own',
            'try it before: `refiner-sync check --online`',
          ],
        },
      ]
    }),
  ),
}

interface Refusal {
  readonly what: string
  readonly error: { readonly at: string; readonly message: string } | null
}

function refusalOf({ tenants }: Health, name: string, destination: 'segment' | 'refiner'): Refusal | null {
  const tenant = tenants[name]
  const lane = tenant?.destinations[destination]
  if (lane?.state === 'unauthorized') {
    return { what: `sending is paused, ${lane.pending} wait`, error: lane.last_error }
  }
  return destination === 'refiner' ? refusedToPoll(tenant) : null
}

/** With nothing to send it is polling that finds out. */
function refusedToPoll(tenant: TenantHealth | undefined): Refusal | null {
  const { last_success: success, last_error: error } = tenant?.polling ?? {
    last_success: null,
    last_error: null,
  }
  if (error === null || !/answered 40[13]\b/.test(error.message)) return null
  return success !== null && success > error.at ? null : { what: 'responses cannot be fetched', error }
}
