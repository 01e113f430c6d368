import { RESPONSE_TIMESTAMPS } from '../contracts/interaction.ts'
import type { NewDelivery } from '../contracts/delivery.ts'
import type { JsonObject } from '../contracts/json.ts'
import { isObject } from '../json/objects.ts'
import { sentMessages } from '../testing/sent-message.ts'
import { yamlLines, yamlText } from './yaml-text.ts'

export interface FirstTest {
  readonly name: string
  readonly tenant: string
  /** The sample, relative to the file of tests. */
  readonly input: string
  readonly deliveries: readonly NewDelivery[]
}

/** A file with one test, which holds what the mapping makes of the sample now. */
export function firstTestText({ name, tenant, input, deliveries }: FirstTest): string {
  const lines = [
    '# Tests of the mapping; `refiner-sync test` runs them. What `expect` does not name may be anything.',
    'tests:',
    `  - name: ${yamlText(name)}`,
    `    tenant: ${yamlText(tenant)}`,
    `    input: { file: ${yamlText(input)} }`,
    ...expectation(deliveries),
  ]
  return `${lines.join('\n')}\n`
}

function expectation(deliveries: readonly NewDelivery[]): string[] {
  const dead = deliveries.find(({ state }) => state === 'dead')
  if (dead !== undefined) return [`    expect_error: ${yamlText(dead.reason ?? '')}`]
  const messages = sentMessages(deliveries)
  const [first] = deliveries
  if (messages.length === 0) return [`    expect_skip: ${first?.reason ? yamlText(first.reason) : 'true'}`]
  const items = messages.map(({ body }) => yamlLines(whatMatters(body), 8))
  return ['    expect:', ...items.flatMap(([head, ...rest]) => [`      - ${head!.trimStart()}`, ...rest])]
}

/** Without what every message has, and without IDs and moments of the sample, which say nothing about the mapping. */
function whatMatters(message: JsonObject): JsonObject {
  const { properties } = message
  const told = without(message, SAID_OF_ALL)
  return isObject(properties) ? { ...told, properties: without(properties, OF_THE_SAMPLE) } : told
}

function without(object: JsonObject, names: ReadonlySet<string>): JsonObject {
  return Object.fromEntries(Object.entries(object).filter(([name]) => !names.has(name)))
}

const SAID_OF_ALL = new Set(['messageId', 'timestamp', 'context', 'integrations'])

const OF_THE_SAMPLE: ReadonlySet<string> = new Set(['survey_uuid', 'response_uuid', ...RESPONSE_TIMESTAMPS])
