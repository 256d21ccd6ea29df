"""What a store is: how it is started, reached, loaded, digested, saved. One file per engine; its parts are named after it."""
