/**
 * Takes out of the answers what people write there though nobody asked: email addresses, phone numbers, and the numbers of
 * cards and bank accounts. The rest of the text stays.
 *
 * What it finds in an answer it takes out of all traits of `identify` and all properties of `track`, wherever it stands:
 * under the answer's own name, under another that a rule gave, or inside a longer text. It looks for the same letters, so
 * that a text which a rule changed (`lower`, `hash`) is not found. Names, addresses and the like are not found either: no
 * pattern knows them. The event name, the context and the traits of `group` are left alone.
 *
 * ```yaml
 * plugins:
 *   scrub-pii:
 *     path: ./plugins/scrub-pii.ts
 *     options:
 *       keep: [work_email] #         questions that ask for such a thing: their answers stay. Default: none
 *       replacement: '[removed]' #   default: [removed]
 * ```
 *
 * An answer of 10,000 characters takes it up to 50 ms: where people write that much, give it more `timeout`. Put it last in a
 * tenant's `plugins`, so that it sees what the others wrote.
 */
import type { Plugin, PluginValue } from '../src/contracts/plugin.ts'

// Every repetition has a bound, so that a long answer made for it cannot keep a pattern busy.
/** With letters of any language. */
const EMAIL = /[\p{L}\p{N}._%+-]{1,64}@(?:[\p{L}\p{N}-]{1,63}\.){1,8}\p{L}{2,24}/gu
const NUMBERS = [
  // Bank accounts: two letters, two digits, then groups of four.
  /\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,3})?\b/g,
  // Telephones whose numbers begin with + or 0: nine digits and more.
  /(?<![\w.+])(?:\+ ?[1-9]|\(?0)(?:[ ()./-]{0,3}\d){8,16}(?!\d|:\d)/g,
  // Other telephones, and cards: ten digits and more, in groups or not.
  /(?<![\w.+])\(?\d(?:[ ().-]{0,3}\d){9,18}(?!\d|:\d)/g,
]

export default {
  name: 'scrub-pii',
  transform(interaction, messages, { options }) {
    const keep = Array.isArray(options['keep']) ? options['keep'] : []
    // The user's own address is known already.
    const kept = new Set(textsIn(interaction.user.email))
    const found = new Set<string>()
    for (const [question, answer] of Object.entries(interaction.answers)) {
      for (const text of textsIn(answer)) {
        if (keep.includes(question)) kept.add(text)
        else for (const piece of piecesIn(text)) found.add(piece)
      }
    }
    if (found.size === 0) return messages
    // The longest first: a short one may be a part of it.
    const pieces = [...found].sort((a, b) => b.length - a.length)
    const replacement = typeof options['replacement'] === 'string' ? options['replacement'] : '[removed]'
    const scrub = (text: string) =>
      kept.has(text) ? text : pieces.reduce((now, piece) => now.replaceAll(piece, () => replacement), text)
    for (const message of messages) {
      if (message.type === 'identify' && message.traits)
        message.traits = scrubbedFields(message.traits, scrub)
      if (message.type === 'track' && message.properties) {
        message.properties = scrubbedFields(message.properties, scrub)
      }
    }
    return messages
  },
} satisfies Plugin

/** What is to be taken out of a text. */
function piecesIn(text: string): string[] {
  const patterns = text.includes('@') ? [EMAIL, ...NUMBERS] : NUMBERS
  return patterns.flatMap((pattern) => text.match(pattern) ?? [])
}

type Scrub = (text: string) => string

function scrubbedFields(fields: Readonly<Record<string, PluginValue | undefined>>, scrub: Scrub) {
  return Object.fromEntries(
    Object.entries(fields).map(([name, value]) => [name, scrubbed(value ?? null, scrub)]),
  )
}

function scrubbed(value: PluginValue, scrub: Scrub): PluginValue {
  if (typeof value === 'string') return scrub(value)
  if (Array.isArray(value)) return value.map((item) => scrubbed(item, scrub))
  return typeof value === 'object' && value !== null ? scrubbedFields(value, scrub) : value
}

/** All texts in a value; an answer of several choices is a list. */
function textsIn(value: PluginValue | undefined): string[] {
  if (typeof value === 'string') return [value]
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(textsIn) : []
}
