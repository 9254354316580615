import { Type } from 'typebox'
import { problem } from '../problems.js'
import { uuidPattern } from '../uuid.js'

/** What a list takes to be read page by page. */
export const pageQuery = {
  cursor: Type.Optional(
    Type.String({ maxLength: 200, description: 'nextCursor of the page before, as it came' })
  ),
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 200, description: '50 by default' }))
}

export const defaultLimit = 50

export const NextCursorSchema = Type.Union([Type.String(), Type.Null()], {
  description: 'Where the next page begins; null where this is the last one'
})

export interface Cursors {
  /** The cursor to what comes after this id; null where nothing does. */
  readonly after: (id: string | undefined) => string | null
  /**
   * The id in a cursor that a caller sent.
   *
   * @throws Problem VALIDATION_FAILED for what is no cursor of this list
   */
  readonly read: (cursor: string | undefined) => string | undefined
}

/**
 * Cursors of a list that is read in the order of its ids. What is in them is a place and no secret: a
 * forged one leads to another page of the same list, so they are checked and not signed.
 *
 * @param list tells the cursors of one list from those of another
 */
export function createCursors(list: string): Cursors {
  const encode = (id: string) => Buffer.from(`${list}:${id}`).toString('base64url')

  return {
    after: (id) => (id === undefined ? null : encode(id)),
    read(cursor) {
      if (cursor === undefined) return undefined
      const id = Buffer.from(cursor, 'base64url')
        .toString()
        .slice(list.length + 1)
      if (uuidPattern.test(id) && encode(id) === cursor) return id
      const message = 'must be the nextCursor of a page of this list'
      throw problem('VALIDATION_FAILED', { errors: [{ path: '/cursor', message }] })
    }
  }
}
