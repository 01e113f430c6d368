import { dirname, join } from 'node:path'
import { readConfiguration } from '../config/load.ts'
import type { Mistake } from '../config/mistake.ts'
import type { Configuration } from '../contracts/configuration.ts'
import type { JsonObject } from '../contracts/json.ts'
import { explainItem } from '../mapping/explain.ts'
import { readRefinerWebhook } from '../mapping/refiner-webhook.ts'
import { compileMapping } from '../mapping/tenant-mapping.ts'
import { NO_PLUGINS } from '../plugins/load.ts'
import { item } from '../testing/read-input.ts'
import { type Choices, secretNames } from './choices.ts'
import { configurationText } from './configuration-text.ts'
import { firstTestText } from './first-test.ts'
import { inventedBody } from './invented-body.ts'
import { proposeRules } from './propose-rules.ts'
import { slugOf } from './slug.ts'

/** A file that is to be written. */
export interface MadeFile {
  readonly path: string
  readonly text: string
}

export type MadeFiles =
  | { readonly kind: 'made'; readonly configuration: MadeFile; readonly others: readonly MadeFile[] }
  /** The choices make no configuration, such as for a preset that does not exist. */
  | { readonly kind: 'mistakes'; readonly mistakes: readonly Mistake[] }
  | { readonly kind: 'not_a_webhook'; readonly reason: string }

/**
 * A first configuration and, of a recorded webhook, a sample with invented values and a test.
 *
 * @param config the path of the configuration; the other files go into folders beside it
 * @param webhook the body as JSON text; null for none
 */
export async function makeFiles(
  config: string,
  choices: Choices,
  webhook: string | null,
): Promise<MadeFiles> {
  if (webhook === null) return checked(config, choices, configurationText(choices, null), [])
  const body = webhookBody(webhook)
  if (body === null) return { kind: 'not_a_webhook', reason: NO_WEBHOOK }
  const interaction = readRefinerWebhook(webhook, 0)
  if ('unreadable' in interaction)
    return { kind: 'not_a_webhook', reason: `${NO_WEBHOOK}: ${interaction.unreadable}` }
  const proposal = proposeRules(interaction)
  const text = configurationText(choices, proposal)
  const loaded = loadInMemory(config, choices, text)
  if (!loaded.ok) return { kind: 'mistakes', mistakes: loaded.mistakes }

  const slug = slugOf(proposal.survey ?? proposal.kind)
  const sample = `${JSON.stringify(inventedBody(body), null, 2)}\n`
  const name = `${proposal.kind.replace('_', ' ')}: ${proposal.survey ?? 'a survey without a name'}`
  const test = await recordTest(loaded.configuration, choices.tenant, { name, slug, sample })
  const beside = (folder: string, file: string) => join(dirname(config), 'config', folder, file)
  return {
    kind: 'made',
    configuration: { path: config, text },
    others: [
      { path: beside('samples', `${slug}.json`), text: sample },
      { path: beside('tests', `${slug}.yaml`), text: test },
    ],
  }
}

const NO_WEBHOOK = 'this is no webhook of Refiner, a JSON object with triggered_event, form and response'

function webhookBody(text: string): JsonObject | null {
  try {
    const body: unknown = JSON.parse(text)
    if (typeof body !== 'object' || body === null || Array.isArray(body)) return null
    return 'triggered_event' in body || 'response' in body ? (body as JsonObject) : null
  } catch {
    return null
  }
}

function checked(config: string, choices: Choices, text: string, others: readonly MadeFile[]): MadeFiles {
  const loaded = loadInMemory(config, choices, text)
  if (!loaded.ok) return { kind: 'mistakes', mistakes: loaded.mistakes }
  return { kind: 'made', configuration: { path: config, text }, others }
}

/** Reads the configuration as if its variables were set. */
function loadInMemory(config: string, { tenant }: Choices, text: string) {
  const environment = Object.fromEntries(
    Object.values(secretNames(tenant)).map((name) => [name, `of-${name}`]),
  )
  return readConfiguration({ file: config, text, environment })
}

async function recordTest(
  { tenants }: Configuration,
  tenant: string,
  { name, slug, sample }: { name: string; slug: string; sample: string },
): Promise<string> {
  const settings = tenants.get(tenant)!
  const webhook = item('refiner_webhook', 0, sample)
  const { mapped } = await explainItem(webhook, compileMapping(settings), NO_PLUGINS)
  return firstTestText({ name, tenant, input: `../samples/${slug}.json`, deliveries: mapped.deliveries })
}
