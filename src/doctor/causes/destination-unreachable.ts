import { type Cause, inEachTenant, quoted, type TenantFinding } from '../finding.ts'
import { connectionWords } from '../../clients/connection-words.ts'
import { DESTINATIONS } from '../destinations.ts'

/** Nothing can be sent: the name, the network, the certificate, or the endpoint is wrong. */
export const destinationUnreachable: Cause = {
  name: 'destination_unreachable',
  looksAt: 'whether Segment and Refiner can be reached, and under the right endpoint and region',
  find: inEachTenant(({ settings }, { health }, name) =>
    DESTINATIONS.flatMap(({ destination, title, endpoint }): TenantFinding[] => {
      const lane = health.tenants[name]?.destinations[destination]
      const said = lane?.last_error?.message
      if (lane === undefined || said === undefined || !['retrying', 'open', 'half_open'].includes(lane.state))
        return []
      const address = destination === 'segment' ? settings.segment_endpoint : settings.refiner_endpoint
      const evidence = [`${said} (${lane.last_error!.at})`, `${lane.pending} wait for ${address}`]
      const setting = `tenants.${name}.${endpoint}`
      if (/^no connection to |did not answer within/.test(said)) {
        return [
          {
            likelihood: 'certain',
            problem: `${title} cannot be reached: ${connectionWords(said)}`,
            evidence,
            advice: [
              `try it from this machine: \`curl -sS -o /dev/null -w '%{http_code}' ${quoted(address)}\``,
              'see that DNS, the firewall and the proxy of this machine let it out',
              ...(isUsual(address) ? [] : [`see that ${setting} is spelt right`]),
              'nothing is lost: it is tried again for days, and at once when it is back',
            ],
          },
        ]
      }
      if (/check the endpoint/.test(said)) {
        return [
          {
            likelihood: 'certain',
            problem: `what answers for ${title} is not its API`,
            evidence,
            advice:
              destination === 'segment'
                ? [
                    `set segment.region of tenants.${name} to us or eu, as the workspace says, instead of an endpoint`,
                    'the US and the EU have hosts of their own, and the US one takes and drops what is meant for the EU',
                  ]
                : [`set ${setting} to https://api.refiner.io/v1, or leave it out`],
          },
        ]
      }
      return [
        {
          likelihood: 'likely',
          problem: `${title} is failing: it is tried again and again`,
          evidence,
          advice: [
            `see ${title}'s status page; nothing is lost, it is tried again for days`,
            ...(isUsual(address) ? [] : [`see that ${setting} is spelt right`]),
          ],
        },
      ]
    }),
  ),
}

function isUsual(address: string): boolean {
  return /^https:\/\/(api\.segment\.io|events\.eu1\.segmentapis\.com|api\.refiner\.io)\/v1$/.test(address)
}
