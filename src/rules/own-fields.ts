/**
 * Fields of a message that `emit.fields` cannot set, each with what does: an ID of a rule's own making would let
 * Segment take two messages for one, and another type would make it a call that this is not.
 */
export const OWN_FIELDS: ReadonlyMap<string, string> = new Map([
  ['type', 'it is what `type` says'],
  ['messageId', 'it is made from the interaction and the name of the rule'],
  ['userId', 'write it as `user_id`'],
  ['groupId', 'write it as `group_id`'],
  ['timestamp', 'write it beside `fields`'],
  ['event', 'write it beside `fields`'],
  ['traits', 'write them beside `fields`'],
  ['properties', 'write them beside `fields`'],
  ['context', 'write it beside `fields`'],
  ['integrations', 'it keeps Segment from sending the message back to Refiner'],
])
