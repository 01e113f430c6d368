import type { Interaction } from '../contracts/interaction.ts'
import type { PeopleChange } from '../contracts/people.ts'
import type { SegmentMessage } from '../contracts/segment-message.ts'
import { identifier } from '../json/texts.ts'
import { epochMs } from '../json/timestamps.ts'
import { eventName } from './to-refiner.ts'

/** What an interaction says about people. */
export function peopleOfInteraction({
  user,
  account,
  survey,
  response,
  answers,
  body,
}: Interaction): PeopleChange[] {
  const changes: PeopleChange[] = []
  if (user.id !== null) {
    changes.push({
      kind: 'user',
      userId: user.id,
      email: user.email,
      refinerUuid: user.uuid,
      traits: user.attributes,
    })
  }
  const cookieUuid = identifier(body['cookie_uuid'])
  const isOther = cookieUuid !== null && cookieUuid !== user.uuid
  if (user.uuid !== null && (isOther || (user.id === null && user.email !== null))) {
    const email = user.id === null ? user.email : null
    changes.push({
      kind: 'contact',
      uuid: user.uuid,
      userId: user.id,
      email,
      cookieUuid: isOther ? cookieUuid : null,
    })
  }
  if (account.id !== null) {
    changes.push({ kind: 'account', accountId: account.id, userId: user.id, traits: account.attributes })
  }
  if (response.uuid !== null) {
    const at = response.timestamps
    const kept = {
      uuid: response.uuid,
      surveyUuid: survey.uuid,
      surveyName: survey.name,
      userId: user.id,
      contactUuid: user.uuid,
      answers,
      tags: response.tags,
      firstShownAt: at.first_shown_at,
      lastShownAt: at.last_shown_at,
      lastDataReceptionAt: at.last_data_reception_at,
      completedAt: at.completed_at,
      dismissedAt: at.dismissed_at,
    }
    changes.push({ kind: 'response', response: kept })
  }
  return changes
}

/** What a Segment message says about people. */
export function peopleOfMessage(message: SegmentMessage, receivedAt: number): PeopleChange[] {
  const { type, userId, groupId, traits = {} } = message
  switch (type) {
    case 'identify': {
      const email = typeof traits['email'] === 'string' ? traits['email'] : null
      return [{ kind: 'user', userId, email, refinerUuid: null, traits }]
    }
    case 'group':
      return groupId === undefined ? [] : [{ kind: 'account', accountId: groupId, userId, traits }]
    case 'track':
    case 'page':
    case 'screen':
      return [
        { kind: 'event', userId, name: eventName(message), at: epochMs(message.timestamp) ?? receivedAt },
      ]
    case 'delete':
      return []
  }
}
