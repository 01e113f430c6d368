import { type Cause, inEachTenant } from '../finding.ts'
import { DESTINATIONS } from '../destinations.ts'

/** A destination says 401 or 403: nothing more is sent to it until the key is mended. */
export const keyRefused: Cause = {
  name: 'key_refused',
  looksAt: 'whether Segment and Refiner take the keys',
  find: inEachTenant((_, { health }, name) =>
    DESTINATIONS.flatMap(({ destination, title, key }) => {
      const lane = health.tenants[name]?.destinations[destination]
      if (lane?.state !== 'unauthorized') return []
      return [
        {
          likelihood: 'certain' as const,
          problem: `${title} refuses the key: sending is paused, ${lane.pending} wait`,
          evidence: lane.last_error === null ? [] : [`${lane.last_error.message} (${lane.last_error.at})`],
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
