import { type Cause, counted, DAY_MS, inEachTenant, inWords, lastRequest } from '../finding.ts'

const SILENT_MS = 2 * DAY_MS
const ENOUGH = 3

/** Polling finds what no webhook brought. */
export const webhookSilent: Cause = {
  name: 'webhook_silent',
  looksAt: 'when the last webhook came, and what polling found that none had brought',
  find: inEachTenant(({ settings, from_refiner }, facts, name) => {
    const { poll } = from_refiner.by_origin
    if (!settings.to_segment || poll.last_7_days < ENOUGH || poll.last === null) return []
    const now = Date.parse(facts.at)
    const last = lastRequest(facts, name, 'refiner_webhook')
    if (last !== null && (now - last < SILENT_MS || Date.parse(poll.last) < last)) return []
    return [
      {
        likelihood: 'certain',
        problem:
          last === null
            ? 'no webhook of Refiner is known to have come, while polling finds responses'
            : `no webhook of Refiner came for ${inWords(now - last)}, while polling finds responses`,
        evidence: [
          `polling found ${counted(poll.last_7_days, 'response')} within a week that no webhook had brought`,
        ],
        advice: [
          `in Refiner, under Integrations > Webhooks, see that the webhook is switched on and its URL ends in /v1/refiner/${name}`,
          'see that the URL answers from outside: `refiner-sync check --online --url https://YOUR-HOST`',
          'nothing is lost meanwhile: polling brings it, only later',
        ],
      },
    ]
  }),
}
