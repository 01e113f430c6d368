import { DEFAULTS } from '../config/defaults.ts'
import { type Choices, secretNames } from './choices.ts'
import type { Proposal } from './propose-rules.ts'
import { slugOf } from './slug.ts'
import { yamlKey, yamlText } from './yaml-text.ts'

/** A first refiner-sync.yaml, with a comment on each key; rules as a recorded webhook suggests them, if there is one. */
export function configurationText(choices: Choices, proposal: Proposal | null): string {
  const { tenant, region, webhookIn } = choices
  const names = secretNames(tenant)
  const lines = [
    ...HEAD,
    'tenants:',
    '  # One Refiner account and one Segment workspace. The name is part of the URLs that you enter there.',
    `  ${yamlKey(tenant)}:`,
    '    refiner:',
    `      api_key: ${reference(names.apiKey)} # Refiner > Integrations > Rest API`,
    '      webhook:',
    `        secret: ${reference(names.webhookSecret)} # the secret token of the webhook in Refiner`,
    "        # Where the webhook carries it: bearer, header, query or hmac. Refiner's public pages do not say which:",
    '        # when webhooks are refused, `refiner-sync doctor` says where the secret may be.',
    `        in: ${webhookIn}`,
    '    segment:',
    `      write_key: ${reference(names.writeKey)} # of the source that receives the survey calls`,
    `      region: ${region} # us or eu, as the workspace's settings say: a wrong one loses data silently`,
    '      # Keys that you make up and give to Segment: each selects this tenant.',
    '      destination_keys:',
    `        - ${reference(names.destinationKey)}`,
    '',
    ...toSegment(choices, proposal),
    '',
    ...TO_REFINER,
  ]
  return `${lines.join('\n')}\n`
}

const HEAD = [
  '# The configuration of refiner-sync.',
  '#',
  '# "${NAME}" is an environment variable and "${file:/run/secrets/name}" the content of a file: no secret stands here.',
  '# `refiner-sync check` names every mistake. For help while you type, write the schema beside this file with',
  '# `refiner-sync schema > refiner-sync.schema.json` and put `yaml-language-server: $schema=./refiner-sync.schema.json`',
  '# behind a # in the first line.',
  '',
  'server:',
  '  host: 127.0.0.1 # put a proxy with TLS in front of it',
  '  port: 8787',
  '  # Opens /api, /ui and `refiner-sync deliveries`; without it they stay closed. Take the # away and set the variable.',
  "  # admin_token: '${REFINER_SYNC_ADMIN_TOKEN}'",
  '',
  '# Every response is kept here before it is acknowledged. Relative paths start from the folder of this file.',
  'database: sqlite://./data/refiner-sync.db',
  '',
]

const TO_REFINER = [
  '    # Segment to Refiner: identify and group update users and accounts, track gives events for targeting.',
  '    to_refiner:',
  '      events: # by name; `*` stands for any characters',
  "        include: ['*']",
  '        exclude: []',
]

function toSegment(choices: Choices, proposal: Proposal | null): string[] {
  const { preset } = choices
  return [
    '    # Refiner to Segment: what becomes of survey responses.',
    '    to_segment:',
    ...(preset === null
      ? []
      : [`      preset: ${yamlText(preset)} # settings to start from; what stands here wins`]),
    ...prefixLines(choices),
    '      # anonymous: skip # a contact without a user ID: skip, email (as user ID) or anonymous_id',
    ...eventLines(preset, proposal),
    ...(proposal === null ? EXAMPLE_RULE : ruleLines(proposal, knownPrefix(choices))),
  ]
}

/** A preset has a prefix of its own, which only an explicit choice changes. */
function prefixLines({ preset, traitPrefix }: Choices): string[] {
  const isLeft = preset !== null && traitPrefix === null
  const prefix = traitPrefix ?? DEFAULTS.traitPrefix
  const value = prefix === '' ? "''" : yamlText(prefix)
  return [`      ${isLeft ? '# ' : ''}trait_prefix: ${value} # before the names of traits; '' for none`]
}

function knownPrefix({ preset, traitPrefix }: Choices): string | null {
  return traitPrefix ?? (preset === null ? DEFAULTS.traitPrefix : null)
}

const EVENTS = {
  completed: 'Completed Survey',
  seen: 'Saw Survey',
  dismissed: 'Dismissed Survey',
  segment_entered: 'Entered Segment',
  tag_added: 'Tagged Response',
} as const

/** Completed surveys are sent by default, and so is what the recorded webhook tells of. A preset has its own names. */
function eventLines(preset: string | null, proposal: Proposal | null): string[] {
  const isSent = (kind: string) => preset === null && (kind === 'completed' || kind === proposal?.kind)
  const lines = Object.entries(EVENTS).map(([kind, event]) =>
    isSent(kind) ? `        ${kind}: ${event}` : `        # ${kind}: ${event}`,
  )
  const head = 'events: # names of events; what has none is not sent'
  return [preset === null ? `      ${head}` : `      # ${head}`, ...lines]
}

const EXAMPLE_RULE = [
  '      # Rules change what is sent. `refiner-sync try FILE` shows what they do, step by step:',
  '      # nps: true # scores under nps, nps_* and *_nps give nps_score and nps_category, too',
  '      # mapping:',
  '      #   - name: product survey',
  '      #     when: \'survey.name == "Product Survey"\'',
  '      #     event: Product Survey Answered',
  '      #     cast: { seats: number }',
  '      #     drop: [comment]',
]

function ruleLines(proposal: Proposal, traitPrefix: string | null): string[] {
  const { nps, lists } = proposal
  return [
    ...(nps.length === 0
      ? []
      : [
          `      nps: [${nps.map(yamlText).join(', ')}] # scores from 0 to 10: give nps_score and nps_category, too`,
        ]),
    ...castLines(proposal),
    ...(lists.length === 0
      ? []
      : [`      # Several choices are sent as a list already: ${lists.map(inComment).join(', ')}`]),
    ...freeTextLines(proposal, traitPrefix),
  ]
}

function castLines({ survey, casts }: Proposal): string[] {
  if (casts.length === 0) return []
  return [
    '      # Refiner gives numbers and dates as text. An answer that is none leaves the rule out, and is noted.',
    '      mapping:',
    `        - name: ${yamlText(survey === null ? 'types of answers' : slugOf(survey))}`,
    ...(survey === null ? [] : [`          when: ${yamlText(`survey.name == ${JSON.stringify(survey)}`)}`]),
    '          cast:',
    ...casts.map(({ name, type }) => `            ${yamlKey(name)}: ${type}`),
  ]
}

/** Only suggested: whether what people write may go to Segment is not for a program to say. */
function freeTextLines({ freeTexts, casts }: Proposal, traitPrefix: string | null): string[] {
  if (freeTexts.length === 0) return []
  const rules = freeTexts.flatMap((name) => {
    const answer = `answers[${JSON.stringify(name)}]`
    return [
      `      #   - name: ${yamlText(`no ${name}`)}`,
      `      #     when: ${yamlText(`${JSON.stringify(name)} in answers`)}`,
      `      #     drop: [${yamlText(name)}]`,
      '      #     # or, to tell equal answers by:',
      ...(traitPrefix === null
        ? []
        : [`      #     # traits: { ${yamlKey(traitPrefix + name)}: ${yamlText(`hash(${answer})`)} }`]),
      `      #     # properties: { ${yamlKey(name)}: ${yamlText(`hash(${answer})`)} }`,
    ]
  })
  return [
    '      # What people write in their own words may be personal. To leave it out, add rules such as these:',
    ...(casts.length === 0 ? ['      # mapping:'] : []),
    ...rules,
  ]
}

function inComment(name: string): string {
  return JSON.stringify(name)
}

function reference(name: string): string {
  return `'\${${name}}'`
}
