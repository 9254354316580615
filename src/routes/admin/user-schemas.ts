import { Type } from 'typebox'
import { maxRoles, rolePattern } from '../../accounts/roles.js'
import { NextCursorSchema, pageQuery } from '../cursor.js'
import {
  closed,
  EmailSchema,
  NameSchema,
  PasswordSchema,
  ReasonSchema,
  ReceiptSchema,
  UserSchema
} from '../schemas.js'

/** What its owner sees of an account, and the flag besides. */
export const AdminUserSchema = closed({ ...UserSchema.properties, disabled: Type.Boolean() })
export const AdminUserAnswerSchema = closed({ user: AdminUserSchema })

const RoleSchema = Type.String({ pattern: rolePattern.source })
const RolesSchema = Type.Array(RoleSchema, { maxItems: maxRoles, uniqueItems: true })

export const UserQuerySchema = closed({
  search: Type.Optional(
    Type.String({
      minLength: 1,
      maxLength: 254,
      description: 'How the e-mail address or the name begins, in any case; or the whole id'
    })
  ),
  role: Type.Optional(RoleSchema),
  disabled: Type.Optional(Type.Boolean()),
  ...pageQuery
})

export const NewUserSchema = closed({
  email: EmailSchema,
  password: PasswordSchema,
  name: NameSchema,
  roles: Type.Optional(RolesSchema)
})

export const ChangesSchema = closed({
  name: Type.Optional(NameSchema),
  roles: Type.Optional(RolesSchema),
  disabled: Type.Optional(Type.Boolean()),
  reason: Type.Optional(
    Type.String({
      ...ReasonSchema,
      description: 'Why, for the audit and the revocation. Not blank'
    })
  )
})

export const ChangedUserSchema = closed({
  user: AdminUserSchema,
  receipt: Type.Union([ReceiptSchema, Type.Null()], {
    description: 'null where nothing had to be revoked'
  })
})

export const UserPageSchema = closed({
  users: Type.Array(AdminUserSchema),
  nextCursor: NextCursorSchema
})
