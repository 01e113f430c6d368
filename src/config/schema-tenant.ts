import { type Static, Type } from '@sinclair/typebox'
import { DEFAULTS } from './defaults.ts'
import {
  calls,
  closed,
  duration,
  eventName,
  expression,
  flag,
  names,
  oneOf,
  optional,
  patterns,
  rate,
  secret,
  text,
} from './schema-fields.ts'
import { NpsPatterns } from './schema-choice.ts'
import { EventRuleFields, InteractionRuleFields } from './schema-rules.ts'

const Webhook = Type.Object(
  {
    secret: secret("The secret token of the webhook in Refiner, or the HMAC's key."),
    in: optional(
      oneOf(['bearer', 'header', 'query', 'hmac'], 'Where the webhook carries the secret.', {
        default: DEFAULTS.webhookIn,
      }),
    ),
    name: optional(
      text(
        'The name of the header or query parameter. Default: header X-Refiner-Secret, query parameter secret, hmac header X-Refiner-Signature.',
      ),
    ),
    algorithm: optional(
      oneOf(['sha1', 'sha256', 'sha512'], 'Of the HMAC; only with `in: hmac`.', {
        default: DEFAULTS.algorithm,
      }),
    ),
    encoding: optional(
      oneOf(['hex', 'base64'], 'Of the HMAC; only with `in: hmac`.', { default: DEFAULTS.encoding }),
    ),
  },
  { ...closed, description: 'How the Refiner webhook is checked.' },
)

const Refiner = Type.Object(
  {
    api_key: optional(secret('Refiner > Integrations > Rest API. Needed to send to Refiner.')),
    endpoint: optional(
      text('Base URL of the REST API; a bare host gets /v1 added.', { default: DEFAULTS.refinerEndpoint }),
    ),
    webhook: optional(Webhook),
    rate_limit: optional(rate('The most requests to Refiner.', { default: DEFAULTS.refinerRate })),
    poll: optional(duration('How often to fetch responses whose webhook never came.', '1s', '30d')),
  },
  { ...closed, description: 'The Refiner account.' },
)

const Segment = Type.Object(
  {
    write_key: optional(secret('The write key of the Segment source that receives the survey calls.')),
    region: optional(oneOf(['us', 'eu'], "The workspace's region.", { default: DEFAULTS.segmentRegion })),
    endpoint: optional(
      text('Base URL of the Tracking API, instead of a region; a bare host gets /v1 added.'),
    ),
    destination_keys: optional(
      Type.Array(secret('An API key that Segment presents.'), {
        description: 'API keys that you make up and give to Segment: each selects this tenant.',
      }),
    ),
    shared_secret: optional(secret('Signs the requests of a Webhooks destination (X-Signature).')),
    rate_limit: optional(rate('The most requests to Segment.', { default: DEFAULTS.segmentRate })),
  },
  { ...closed, description: 'The Segment workspace.' },
)

const Events = Type.Object(
  {
    completed: optional(eventName('Event name of a completed survey; null: none.', DEFAULTS.completedEvent)),
    seen: optional(eventName('Event name of a survey that was shown; null: none.', null)),
    dismissed: optional(eventName('Event name of a dismissed survey; null: none.', null)),
    question: optional(eventName('Event name of one track for each answered question; null: none.', null)),
    segment_entered: optional(
      eventName('Event name when a user enters a Refiner segment; null: none.', null),
    ),
    tag_added: optional(eventName('Event name when a response is tagged; null: none.', null)),
  },
  { ...closed, description: 'Event names by interaction.' },
)

/** What a preset may say of Refiner to Segment, too. */
const mappingFields = {
  surveys: optional(names('Which surveys are sent, by name or uuid.')),
  events: optional(Events),
  nps: optional(NpsPatterns),
  calls: optional(calls('Which calls are sent.')),
  trait_prefix: optional(
    Type.String({ default: DEFAULTS.traitPrefix, description: 'Put before each trait name; "" for none.' }),
  ),
  anonymous: optional(
    oneOf(
      ['skip', 'email', 'anonymous_id'],
      "What stands for the user ID of a contact without one: nothing is sent, its email, or the contact's uuid as anonymousId.",
      { default: DEFAULTS.anonymous },
    ),
  ),
  user_attributes: optional(
    flag(false, "Send the contact's own attributes along with the answers in identify."),
  ),
  mapping: optional(
    Type.Array(InteractionRuleFields, {
      description: "Rules, applied in order to each interaction; a preset's rules come first.",
    }),
  ),
}

const ToSegment = Type.Object(
  {
    enabled: optional(flag(true, 'False answers Refiner webhooks with 403.')),
    preset: optional(
      text('Settings to start from: config/presets/NAME.yaml beside this file, else a built-in preset.', {
        examples: ['segment-catalog'],
      }),
    ),
    ...mappingFields,
    plugins: optional(
      Type.Array(text('The name of a plugin.'), {
        description: 'Names of plugins, applied in order after the rules.',
        examples: [['nps-category']],
      }),
    ),
  },
  { ...closed, description: 'Refiner to Segment.' },
)

/** A file of config/presets/. */
export const PresetFile = Type.Object(
  { description: optional(text('What the preset is for.')), ...mappingFields },
  { ...closed, description: 'A preset for to_segment.' },
)
export type PresetFile = Static<typeof PresetFile>

const ToRefiner = Type.Object(
  {
    enabled: optional(flag(true, 'False answers Segment with 403.')),
    calls: optional(calls('Which calls are sent.')),
    events: optional(names('Which track events are sent, by name.')),
    pages: optional(
      flag(false, 'Take page and screen calls, as events named "Viewed … Page" and "Viewed … Screen".'),
    ),
    mapping: optional(
      Type.Array(EventRuleFields, { description: 'Rules, applied in order to each message of Segment.' }),
    ),
    delete: optional(
      flag(
        false,
        'Delete the contact in Refiner, too, when Segment deletes the user or the user is forgotten here.',
      ),
    ),
  },
  { ...closed, description: 'Segment to Refiner.' },
)

const Privacy = Type.Object(
  {
    traits: optional(
      Type.Object(
        {
          allow: optional(
            patterns({ default: DEFAULTS.include, description: 'Only what has one of these names is kept.' }),
          ),
          deny: optional(
            patterns({
              default: [],
              description: 'What has one of these names is left out, whatever else is said.',
            }),
          ),
          hash: optional(
            patterns({
              default: [],
              description: 'Of what has one of these names an HMAC-SHA-256 is kept instead.',
            }),
          ),
          salt: optional(secret('The key of the hashes. Needed with hash.')),
        },
        {
          ...closed,
          description: 'By the names of traits, attributes and answers; `address.city` names what is nested.',
          examples: [{ deny: ['ssn', 'phone*'] }],
        },
      ),
    ),
  },
  { ...closed, description: 'What is left out or hashed before anything is stored.' },
)

const UserSegment = Type.Object(
  {
    name: text('What it is called; each segment of a tenant has a name of its own.', {
      shown: true,
      examples: ['promoters'],
    }),
    when: expression('A CEL condition: who is in it. It knows traits, user, account, events and answers.', {
      examples: ['int(answers.nps) >= 9', 'traits.plan == "pro" && events["Signed In"].count > 3'],
    }),
    refiner_segment: optional(
      text('The uuid of a manual segment in Refiner that is given the same members.', { shown: true }),
    ),
    to_segment: optional(
      Type.Object(
        {
          trait: optional(
            text('The name of a trait that is true for members and false for who has left.', { shown: true }),
          ),
          entered: optional(text('The name of an event when a user enters.', { shown: true })),
          left: optional(text('The name of an event when a user leaves.', { shown: true })),
        },
        { ...closed, description: 'What Segment is told of it.' },
      ),
    ),
  },
  { ...closed, description: 'Users for whom a condition holds.' },
)

/** One customer's pair of accounts, as the file writes it. */
export const TenantFields = Type.Object(
  {
    enabled: optional(flag(true, 'False answers every request with 403.')),
    refiner: optional(Refiner),
    segment: optional(Segment),
    to_segment: optional(ToSegment),
    to_refiner: optional(ToRefiner),
    privacy: optional(Privacy),
    segments: optional(
      Type.Array(UserSegment, {
        description: 'Groups of users by what is known of them, kept up to date as data arrives.',
      }),
    ),
  },
  { ...closed, description: 'One pair of accounts.' },
)
