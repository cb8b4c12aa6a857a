"""The connections to customers' accounts: how they are created, changed, logged in, and kept ready to be polled.

A body is checked as a `draft`; `creating` stores it, `editing` and `states` change it, `finding` reads it, and `views`
shows it. `pollset` says which polls an instance has, `vault` keeps its secrets, `login` its login. `runtime` holds what
the polls of an instance need, `budget` the requests that its provider allows, and `parts` everything of one store.

Instances look as they do in Cloud Elements, the integration platform whose API Connectory implements.
"""
