"""The verbs. Radicale answers PROPFIND for homes and unusual properties; what phones ask all the time is ours."""
